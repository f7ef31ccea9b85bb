// Commands line by line: typed at a terminal, or read from a stream. A daemon that goes away is
// told between two lines and never ends the loop. Main's thread.
#pragma once

#include <istream>

#include "commands.hpp"
#include "line_editor.hpp"

namespace netcluster::ctl {

/// Lines of a stream, without a prompt.
class StreamLines : public LineSource {
  public:
    explicit StreamLines(std::istream& input) : input_(input) {}
    std::optional<std::string> next(const std::string& prompt) override;

  private:
    std::istream& input_;
};

/// Runs lines to their end or to `quit`. Returns how the last one that failed did, or `done`.
Status runLines(LineSource& lines, Context& context);

/// The prompt, with completion: `nc [/run/netcluster]> `. Connects first, if it can, and says if
/// not.
Status runPrompt(Context& context);

/// "nc [where]> "; `where` is printable or empty.
std::string promptText(bool connected, const std::string& where);

}  // namespace netcluster::ctl
