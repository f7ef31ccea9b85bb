// What a command works with, and the one way in which commands answer and fail. Owned by main; used
// from its thread only.
#pragma once

#include <chrono>
#include <iosfwd>
#include <netcluster/event.hpp>
#include <string>

namespace netcluster::ctl {

class ControlClient;

/// How a command ended, as the process's exit status.
enum class Status {
    done = 0,
    failed = 1,      ///< also: the daemon cannot be reached, the daemon said no
    usage = 2,       ///< the words make no sense; nothing was done
    deadline = 124,  ///< --timeout or --wait passed first, as with timeout(1)
};

/// How long a command waits for the daemon. --timeout sets both.
struct Patience {
    /// To let us in. Short: somebody may be waiting to hear that no daemon runs.
    std::chrono::milliseconds connect{2000};
    std::chrono::milliseconds answer{5000};
};

struct Context {
    ControlClient& control;
    std::ostream& out;  ///< answers
    std::ostream& err;  ///< everything else
    std::string dir;    ///< --dir; empty: where the agent library looks
    bool json = false;
    Patience patience{};
    bool atPrompt = false;  ///< commands come from stdin, so no command may read it
    bool quit = false;      ///< set by `quit`
};

/// Writes the answer: with --json `value` on one line, else `text`.
Status answer(Context& context, const Json& value, const std::string& text);

/// Writes `ncctl: text` to err and, with --json, `{"error": text}` to out. Returns `status`.
Status fail(Context& context, Status status, const std::string& text);
/// The same for an answer of the daemon that has a key `error`.
Status failWith(Context& context, Status status, const Json& answer);

/// A line on err that does not end the command: `ncctl: text`.
void notice(Context& context, const std::string& text);

}  // namespace netcluster::ctl
