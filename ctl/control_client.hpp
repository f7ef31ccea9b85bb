// Asks the daemon questions over the channel `control` (docs/control-protocol.md). Owned by main,
// used from its thread; answers arrive on the agent's thread and are handed over inside.
//
// Connects at the first question. Afterwards the agent library keeps the connection and makes it
// anew when the daemon comes back. A question is never repeated: one that was lost stays lost,
// because nobody wants an old `reloadconfig` to be carried out when the daemon is back.
#pragma once

#include <memory>
#include <netcluster/event.hpp>
#include <string>
#include <string_view>

#include "context.hpp"

namespace netcluster::ctl {

struct Answer {
    enum class Outcome {
        answered,     ///< `data` is the answer
        refused,      ///< the daemon, or the library, said no; `data` has the key `error`
        unreachable,  ///< no connection, or it was lost before the answer; `data` has `error` too
        deadline,     ///< no answer in time; `data` has `error` too
    };
    Outcome outcome = Outcome::answered;
    Json data;
};

class ControlClient {
  public:
    /// `dir`: the daemon's run directory; empty: where the agent library looks.
    explicit ControlClient(std::string dir);
    ~ControlClient();
    ControlClient(const ControlClient&) = delete;
    ControlClient& operator=(const ControlClient&) = delete;

    /// One question at a time. Throws nothing of netcluster's.
    Answer ask(std::string_view command, const Json& data, const Patience& patience);

    bool connected() const;
    /// What happened to the connection since the last call, in words for the user; empty for
    /// nothing.
    std::string takeNews();

  private:
    class Connection;
    std::string dir_;
    std::unique_ptr<Connection> connection_;
};

/// What to say when no daemon could be reached, for any channel.
std::string unreachableText(const std::string& reason);

}  // namespace netcluster::ctl
