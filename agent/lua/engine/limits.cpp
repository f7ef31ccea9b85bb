#include "limits.hpp"

#include <sstream>

namespace netcluster::lua {
namespace {

std::string mebibytes(std::size_t bytes, const std::string& option) {
    std::ostringstream text;
    text << static_cast<double>(bytes) / (1 << 20);
    return text.str() + " MiB (" + option + " " + text.str() + ")";
}

/// Options count them in millions.
std::string instructionsText(std::uint64_t count) {
    std::ostringstream millions;
    millions << static_cast<double>(count) / 1e6;
    return std::to_string(count) + " instructions (--instructions " + millions.str() + ")";
}

std::string timeText(std::chrono::milliseconds time, const std::string& option) {
    return std::to_string(time.count()) + " ms (" + option + " " + secondsText(time) + ")";
}

}  // namespace

std::string secondsText(std::chrono::milliseconds time) {
    std::ostringstream text;
    text.precision(9);
    text << static_cast<double>(time.count()) / 1000;
    return text.str();
}

std::string reasonOf(Cut cut, const Limits& limits) {
    switch (cut) {
        case Cut::none:
            return "not cut off";
        case Cut::instructions:
            return "more than " + instructionsText(limits.instructions);
        case Cut::run:
            return "ran for more than " + timeText(limits.run, "--run-time");
        case Cut::wall:
            return "not finished after " + timeText(limits.wall, "--wall-time");
        case Cut::memory:
            return "not enough memory: the call may add " + mebibytes(limits.memory, "--memory");
        case Cut::allMemory:
            return "not enough memory: all scripts together may hold " +
                   mebibytes(limits.total, "--total-memory");
        case Cut::noMemory:
            return "not enough memory: the system gives no more";
        case Cut::stopped:
            return "the worker stops";
    }
    return {};
}

}  // namespace netcluster::lua
