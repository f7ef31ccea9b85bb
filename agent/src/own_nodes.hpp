// The nodes that this process is on one channel, whose they are, and what the daemon was asked
// about them and has not answered. Owned by a Hub, which does the asking. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <netcluster/node.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mailbox.hpp"
#include "target.hpp"

namespace netcluster {

class OwnNodes {
  public:
    /// A request to the daemon: what it says, and the number that its answer names.
    struct Request {
        std::uint64_t number = 0;
        std::string text;
    };
    /// What became of one.
    struct Answered {
        std::string id;
        std::shared_ptr<Mailbox> agent;  ///< null: it is nobody's any more
        bool isAgain = false;            ///< nobody waits for it: the connection was a new one
        bool isNew = false;              ///< granted, and it was no node before
    };

    /// `agent` wants it. Throws Error when another agent of this process has that id.
    std::uint64_t ask(const std::shared_ptr<Mailbox>& agent, NodeDescription said,
                      std::string text);
    /// The answer; nothing when nobody asked for that, or has forgotten it since. But of one that
    /// was asked for again it tells: whoever forgot it may have had nobody to say so to. `host`: of
    /// this host, as nodes name it.
    std::optional<Answered> granted(std::uint64_t number, const std::string& host);
    std::optional<Answered> refused(std::uint64_t number);
    /// The connection is lost: none of the requests will be answered.
    void unanswered();
    /// A new one begins: all nodes, to be asked for again.
    std::vector<Request> again();

    /// False when the agent has no such node.
    bool forget(const Mailbox& agent, std::string_view id);
    /// Returns the ids that the daemon may know.
    std::vector<std::string> forgetAll(const Mailbox& agent);
    /// The daemon has given it to somebody else. Returns whose it was: null when it is none of
    /// ours, or is being asked for.
    std::shared_ptr<Mailbox> lost(const std::string& id);

    bool isAsked(std::string_view id) const;
    bool has(std::string_view id) const;
    bool empty() const;
    /// `client`: the uuid of this process's connection; empty before there is one.
    bool isMeant(const Target& target, const std::string& client) const;

  private:
    struct Entry {
        std::shared_ptr<Mailbox> agent;
        std::uint64_t since = 0;  // requests with a lower number were about an earlier one
        bool granted = false;     // it is a node, as it says here
        Node node{};
        std::string text{};
    };
    struct Asked {
        std::string id;
        NodeDescription said;
        std::string text;
        bool isAgain = false;
    };
    using Entries = std::map<std::string, Entry, std::less<>>;

    bool isAskedLocked(std::string_view id) const;
    Entries::iterator entryOf(std::uint64_t number, const Asked& asked);

    mutable std::mutex mutex_;  // of all below
    Entries entries_;           // by id
    std::map<std::uint64_t, Asked> asked_;
    std::uint64_t lastNumber_ = 0;
};

}  // namespace netcluster
