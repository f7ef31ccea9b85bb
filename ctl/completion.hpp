// What may stand at the cursor: commands, options, and the names that the daemon knows right now.
// Pure but for the two questions that it is given. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::ctl {

/// Where live names come from. Each may return nothing, when no daemon answers.
struct LiveNames {
    std::function<std::vector<std::string>()> channels;
    std::function<std::vector<std::string>(const std::string& channel)> clients;
    std::function<std::vector<std::string>()> nodes{};
    std::function<std::vector<std::string>()> targets{};  ///< nodes and regions
};

struct Completion {
    std::string partial;                  ///< what of the word has been typed
    std::vector<std::string> candidates;  ///< whole words that begin so, sorted
    std::string closing;                  ///< follows the word once it is complete: blank or quote

    bool operator==(const Completion&) const = default;
};

/// `line`: from its beginning to the cursor. Understands both forms of call_form.hpp.
Completion complete(std::string_view line, const LiveNames& names);

/// The longest beginning that all have.
std::string commonBeginning(const std::vector<std::string>& words);

}  // namespace netcluster::ctl
