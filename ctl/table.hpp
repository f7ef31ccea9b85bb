// Text in columns. Cells must be printable (escape.hpp). Pure. Any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace netcluster::ctl {

/// Columns two blanks apart, each as wide as its widest cell; columns of numbers lean to the right.
/// No blanks at the end of lines.
class Table {
  public:
    explicit Table(std::vector<std::string> headings);
    /// As many cells as there are headings.
    void add(std::vector<std::string> cells);
    /// Headings first; each line ends with a newline.
    std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

using Field = std::pair<std::string, std::string>;

/// `name  value` lines, the values below each other, each line after `indent`.
std::string fieldsText(const std::vector<Field>& fields, const std::string& indent = "");

}  // namespace netcluster::ctl
