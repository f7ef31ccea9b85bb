// Lines that a person types at a terminal: editing, history by the arrow keys (kept in memory only:
// lines may hold data that is nobody's business), completion by Tab; a second Tab lists. Main's
// thread. line_editor_libedit.cpp does it; where there is no libedit, line_editor_plain.cpp only
// reads lines.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "completion.hpp"

namespace netcluster::ctl {

/// Gives one line after the other, without its newline; nullopt at the end of input.
class LineSource {
  public:
    LineSource() = default;
    virtual ~LineSource() = default;
    LineSource(const LineSource&) = delete;
    LineSource& operator=(const LineSource&) = delete;
    virtual std::optional<std::string> next(const std::string& prompt) = 0;
};

class LineEditor : public LineSource {
  public:
    /// Asked at Tab with the line up to the cursor.
    using Completer = std::function<Completion(std::string_view line)>;

    explicit LineEditor(Completer completer);
    ~LineEditor() override;

    /// Ctrl-C throws the line away and begins anew; Ctrl-D on an empty line, and SIGTERM, end.
    std::optional<std::string> next(const std::string& prompt) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace netcluster::ctl
