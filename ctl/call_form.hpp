// One line typed at the prompt -> words. Two ways of writing are understood:
//
//     showclient A 0f8e…                 plain: words as a shell splits them
//     showclient("A", "0f8e…");          the call form of netcluster 1.x
//
// Plain: '…' keeps everything, "…" knows \" and \\, a backslash outside quotes keeps the next
// character. Call form: '…' and "…" are strings with JSON's escapes; anything else up to the next
// comma is taken as it stands, so that `emit("A", "sensor", {"celsius": 21.5})` works too.
//
// Pure: knows no command, opens nothing. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace netcluster::ctl {

struct Line {
    std::vector<std::string> words;  ///< the command first; none for an empty line or a `# comment`
    std::string error;  ///< why it is not a line, with the column; `words` is empty then

    bool operator==(const Line&) const = default;
};

Line splitLine(std::string_view line);

/// A name followed by an opening parenthesis.
bool isCallForm(std::string_view line);

}  // namespace netcluster::ctl
