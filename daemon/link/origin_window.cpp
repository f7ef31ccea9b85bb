#include "origin_window.hpp"

#include <algorithm>

namespace netcluster::daemon::link {

void OriginWindow::seenUpTo(std::uint64_t number) {
    floor_ = std::max(floor_, number);
    std::erase_if(spans_, [&](const Span& span) { return span.last <= floor_; });
}

bool OriginWindow::add(std::uint64_t number, std::uint64_t back) {
    if (number <= floor_) return false;
    const std::uint64_t before = back == 0 ? 0 : number - back;
    // Most come behind all others.
    const auto right = spans_.empty() || number > spans_.back().last
                           ? spans_.end()
                           : std::lower_bound(spans_.begin(), spans_.end(), number,
                                              [](const Span& span, std::uint64_t value) {
                                                  return span.last < value;
                                              });
    if (right != spans_.end() && right->first <= number) return false;

    const bool joinsLeft =
        before != 0 && right != spans_.begin() && std::prev(right)->last == before;
    const bool joinsRight = right != spans_.end() && right->before == number;
    if (joinsLeft && joinsRight) {
        std::prev(right)->last = right->last;
        spans_.erase(right);
    } else if (joinsLeft) {
        std::prev(right)->last = number;
    } else if (joinsRight) {
        right->first = number;
        right->before = before;
    } else {
        spans_.insert(right, {before, number, number});
        if (spans_.size() > maxSpans) seenUpTo(spans_.front().last);
    }
    return true;
}

}  // namespace netcluster::daemon::link
