// Where the parser tells what is wrong or unwise, with its place. One per parse; it puts the list
// into the order of the text at the end, since checks that compare two keys run after those of each
// key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parse.hpp"

namespace netcluster::config {

/// Both count from 1; the column counts bytes.
struct Place {
    int line = 1;
    int column = 1;

    bool operator==(const Place&) const = default;
};

class Report {
  public:
    explicit Report(std::string file) : file_(std::move(file)) {}

    void problem(Place place, std::string pointer, std::string what);
    void warning(Place place, std::string pointer, std::string what);

    /// Nothing is known to be wrong with the value at `pointer`, so that it may be compared.
    bool clean(std::string_view pointer) const;

    /// Hands everything over; `settings` only when there is no problem.
    Parsed finish(Settings settings);

  private:
    Problem at(Place place, std::string pointer, std::string what) const;

    std::string file_;
    std::vector<Problem> problems_;
    std::vector<Problem> warnings_;
    std::size_t unlisted_ = 0;
};

}  // namespace netcluster::config
