#include "replay_window.hpp"

#include <algorithm>

namespace netcluster::daemon::link {
namespace {

std::uint64_t bitOf(std::uint64_t number) {
    return std::uint64_t{1} << (number % 64);
}

bool tooOld(std::uint64_t number, std::uint64_t highest) {
    return number < highest && highest - number >= replayReach;
}

}  // namespace

bool ReplayWindow::fresh(std::uint64_t number) const {
    if (number == 0 || tooOld(number, highest_)) return false;
    return number > highest_ || (map_[number / 64 % words] & bitOf(number)) == 0;
}

void ReplayWindow::set(std::uint64_t number) {
    if (tooOld(number, highest_)) return;
    if (number > highest_) {
        const std::uint64_t from = highest_ / 64;
        const std::uint64_t count = std::min<std::uint64_t>(number / 64 - from, words);
        for (std::uint64_t i = 1; i <= count; ++i) map_[(from + i) % words] = 0;
        highest_ = number;
    }
    map_[number / 64 % words] |= bitOf(number);
}

void ReplayWindow::begin(std::uint64_t number) {
    map_.fill(~std::uint64_t{0});
    // Of the word that the number is in, those up to it.
    map_[number / 64 % words] = bitOf(number) | (bitOf(number) - 1);
    highest_ = number;
}

}  // namespace netcluster::daemon::link
