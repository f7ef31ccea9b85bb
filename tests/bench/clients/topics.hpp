// How the benchmark's topics and channels are called in netcluster.
#pragma once

#include <string>

namespace netcluster::bench {

/// As in the configuration that the runner writes.
inline std::string channelName(std::size_t channel) {
    return "bench" + std::to_string(channel);
}

/// The regular expression of a pattern: `log.*` becomes `log\..*`.
inline std::string expressionOf(const std::string& pattern) {
    std::string expression;
    for (const char character : pattern) {
        if (character == '.')
            expression += "\\.";
        else if (character == '*')
            expression += ".*";
        else
            expression += character;
    }
    return expression;
}

}  // namespace netcluster::bench
