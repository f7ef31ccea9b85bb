#include "report.hpp"

#include <algorithm>
#include <tuple>

#include "spelling.hpp"

namespace netcluster::config {
namespace {

// A file of 1 MiB can hold half a million mistakes. Nobody reads more than this, and the list must
// not outgrow the text it speaks of by far.
constexpr std::size_t mostListed = 1000;

bool comesBefore(const Problem& one, const Problem& other) {
    return std::tie(one.line, one.column) < std::tie(other.line, other.column);
}

}  // namespace

std::string Problem::text() const {
    std::string text = file;
    if (line > 0) text += ':' + std::to_string(line) + ':' + std::to_string(column);
    text += ": ";
    if (!pointer.empty()) text += pointer + ": ";
    return printable(text + what);
}

void Report::problem(Place place, std::string pointer, std::string what) {
    if (problems_.size() == mostListed) {
        ++unlisted_;
        return;
    }
    problems_.push_back(at(place, std::move(pointer), std::move(what)));
}

void Report::warning(Place place, std::string pointer, std::string what) {
    if (warnings_.size() == mostListed) return;
    warnings_.push_back(at(place, std::move(pointer), std::move(what)));
}

bool Report::clean(std::string_view pointer) const {
    return std::none_of(problems_.begin(), problems_.end(),
                        [&](const Problem& problem) { return problem.pointer == pointer; });
}

Parsed Report::finish(Settings settings) {
    std::stable_sort(problems_.begin(), problems_.end(), comesBefore);
    std::stable_sort(warnings_.begin(), warnings_.end(), comesBefore);
    if (unlisted_ > 0) {
        problems_.push_back({file_, 0, 0, "", std::to_string(unlisted_) + " more problems"});
    }
    Parsed parsed{std::nullopt, std::move(problems_), std::move(warnings_)};
    if (parsed.problems.empty()) parsed.settings = std::move(settings);
    return parsed;
}

Problem Report::at(Place place, std::string pointer, std::string what) const {
    return {file_, place.line, place.column, std::move(pointer), std::move(what)};
}

}  // namespace netcluster::config
