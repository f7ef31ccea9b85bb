#include "origin_window.hpp"

#include <algorithm>

namespace netcluster::daemon::link {

void OriginWindow::seenUpTo(std::uint64_t number) {
    floor_ = std::max(floor_, number);
    std::erase_if(spans_, [&](const Span& span) { return span.last <= floor_; });
}

// The first span that does not end before it. Most come behind all others.
OriginWindow::Spans::const_iterator OriginWindow::notBefore(std::uint64_t number) const {
    if (spans_.empty() || number > spans_.back().last) return spans_.end();
    return std::lower_bound(
        spans_.begin(), spans_.end(), number,
        [](const Span& span, std::uint64_t value) { return span.last < value; });
}

bool OriginWindow::seen(std::uint64_t number) const {
    if (number <= floor_) return true;
    const auto span = notBefore(number);
    return span != spans_.end() && span->first <= number;
}

// Whatever comes first is not ahead of anything: who joins has no history.
OriginWindow::Result OriginWindow::judge(std::uint64_t number, std::uint64_t back) const {
    if (seen(number)) return Result::seen;
    const std::uint64_t highest = spans_.empty() ? floor_ : spans_.back().last;
    if (highest == 0 || number < highest) return Result::fresh;
    return back != 0 && seen(number - back) ? Result::fresh : Result::ahead;
}

void OriginWindow::add(std::uint64_t number, std::uint64_t back) {
    const std::uint64_t before = back == 0 ? 0 : number - back;
    const auto right = spans_.begin() + (notBefore(number) - spans_.cbegin());
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
}

}  // namespace netcluster::daemon::link
