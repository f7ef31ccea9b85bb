// Which nodes there are: those of our own clients, and what other hosts tell of theirs. Decides who
// may have an id, what to tell other hosts, what to ask them for, and what our clients hear.
// Owned by Core, on the loop thread; pure: no socket, no clock of its own, no logging. Why it works
// like this: docs/decisions/0015-nodes.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "node.hpp"

namespace netcluster::daemon {

/// Nodes of one connection, and of one host, at most. Reason: more is a mistake in a loop; and all
/// nodes of a host are told in one event.
inline constexpr std::size_t maxNodesOfClient = 256;
inline constexpr std::size_t maxNodesOfHost = 2048;
/// All that one host tells of its nodes, as JSON text. Reason: below the smallest `maxevent` that
/// is usual.
inline constexpr std::size_t maxDirectoryText = std::size_t{1} << 20;

/// Other hosts whose nodes are known. Reason: four times as many as a link listens to at once.
inline constexpr std::size_t maxHosts = 256;
/// One node's description, with its host. Reason: twice what a client may say of one.
inline constexpr std::size_t maxNodeText = 8192;
/// All that the other hosts tell together. Reason: whoever is let into the link may claim to be as
/// many hosts as it likes; this is fifty thousand nodes that say little.
inline constexpr std::size_t maxTextElsewhere = std::size_t{16} << 20;
/// Stats that are told at once, as JSON text; the rest waits for the next time (but one
/// connection's nodes are told together). Reason: a thousand nodes fit, and it is a small part of
/// what a link carries in a second.
inline constexpr std::size_t maxStatsText = std::size_t{256} << 10;

/// What the directory tells its owner, in order. Nothing here may change the directory.
class NodeEvents {
  public:
    virtual ~NodeEvents() = default;
    virtual void onNodeOnline(const Node& node) = 0;
    /// The same node says something else of itself.
    virtual void onNodeChanged(const Node& node) = 0;
    /// `why`: "unregistered", "disconnected", "refused" (another one has the id), or for nodes of
    /// other hosts also "host" (that host is gone).
    virtual void onNodeExpired(const Node& node, std::string_view why) = 0;
    /// A node of ours had to give way to `winner`, which registered at the same time.
    virtual void onNodeRefused(const Node& node, const Node& winner) = 0;
    /// How nodes are doing, an object by id: all that is new since the last time.
    virtual void onStats(const nlohmann::json& stats) = 0;
    /// To be told to the other hosts: one of those between daemons in
    /// <netcluster/control.hpp>, and its data.
    virtual void tellHosts(std::string_view event, const nlohmann::json& data) = 0;
};

class NodeDirectory {
  public:
    NodeDirectory(const wire::Uuid& host, std::string hostName, NodeEvents& events);

    /// What our host is called from now on.
    void setHostName(const std::string& name);
    /// The link carries no more of our nodes in one event: in place of maxDirectoryText, if less.
    void setMaxText(std::size_t bytes) { maxText_ = bytes; }
    /// Bytes of JSON of all our nodes.
    std::size_t ourText() const { return ours_.text; }
    /// And of those of all other hosts, as far as they are kept.
    std::size_t textElsewhere() const { return elsewhere_.text; }

    // -- our clients' nodes. `now`: ms since 1970.

    /// Takes the node, or changes what it says of itself when the same client has it already.
    /// Returns why not; empty when it was taken.
    std::string add(const wire::Uuid& client, NodeDescription said, std::int64_t now);
    /// False when this client has no such node.
    bool remove(const wire::Uuid& client, std::string_view id);
    void removeClient(const wire::Uuid& client);
    /// How all nodes of that client are doing. Returns why it was not taken; empty when it was.
    std::string report(const wire::Uuid& client, nlohmann::json stats);

    // -- other hosts. Of one that has our identity (a copy of this machine, or a liar) nothing is
    // taken: its nodes would be ours, and go with it.

    void onHostOnline(const wire::Uuid& host);
    void onHostExpired(const wire::Uuid& host);
    /// Something of that host was missed.
    void onHostGap(const wire::Uuid& host);
    /// One of those events, from another host. Returns what is wrong with it; empty: nothing.
    std::string onHostEvent(std::string_view event, const nlohmann::json& data);
    /// Asks again for what has not come.
    void askAgain();
    /// True while something that was asked for has not come.
    bool waits() const;
    /// True when somebody wants to know all our nodes; `answer` tells them. Reason for the two:
    /// the owner lets askers gather for a moment.
    bool asked() const { return asked_; }
    void answer();

    // -- how they are doing

    /// True when there is something to tell of that; `tellStats` does. Reason for the two: the
    /// owner sees to it that it is not too often.
    bool hasStatsToTell() const { return !untoldClients_.empty() || !untoldNodes_.empty(); }
    void tellStats();
    /// Null when it has not said so.
    const nlohmann::json* statsOf(const Node& node) const;

    // -- who is there

    const Node* find(std::string_view id) const;
    using Nodes = std::map<std::string, Node, std::less<>>;
    const Nodes& all() const { return nodes_; }
    /// The ids of a client's nodes; null when it has none.
    const std::set<std::string, std::less<>>* ofClient(const wire::Uuid& client) const;

  private:
    /// How much there is of something that has a bound.
    struct Amount {
        std::size_t nodes = 0;
        std::size_t text = 0;
        void add(const Node& node) { ++nodes, text += node.text; }
        void subtract(const Node& node) { --nodes, text -= node.text; }
    };
    struct Host {
        bool known = false;  ///< its whole directory has been told, and every change since
        std::uint64_t serial = 0;
        unsigned patience = 1;  ///< calls of askAgain until it is asked again
        unsigned waited = 0;
        Amount amount{};  ///< of what it tells, the claims among it
    };
    struct Client {
        std::set<std::string, std::less<>> ids;
        std::shared_ptr<const nlohmann::json> stats;
    };

    bool isOurs(const Node& node) const { return node.host == host_; }
    static bool isEarlier(const Node& one, const Node& other);
    std::string whyNot(const wire::Uuid& client, const Node& node) const;
    void tellChange(nlohmann::json change);
    void dropOurs(const std::string& id, std::string_view why);
    void erase(Nodes::iterator found, std::string_view why);
    void want(const wire::Uuid& id, Host& host);
    std::string onChange(const wire::Uuid& id, Host& host, const nlohmann::json& data);
    std::string onAll(const wire::Uuid& id, Host& host, const nlohmann::json& data);
    std::string onStats(const wire::Uuid& id, const nlohmann::json& data);
    nlohmann::json takeOurStats();
    void takeOtherStats(nlohmann::json& into);
    std::string takeRemote(Host& host, Node node);
    std::string whyNotOf(const Host& host, const Node& node) const;
    void place(Node node);
    void dropClaims(const std::string& id, const wire::Uuid& host);
    void forgotten(const Node& node);
    void forgetClaim(const std::string& id, const wire::Uuid& host, std::string_view why);
    void promote(const std::string& id);
    void forgetNodesOf(const wire::Uuid& host, const std::set<std::string>& but,
                       std::string_view why);

    const wire::Uuid host_;
    std::string hostName_;
    NodeEvents& events_;
    Nodes nodes_;
    /// What other hosts tell of ids that an earlier node has. They will hear so and take it back,
    /// or the earlier one goes first.
    std::multimap<std::string, Node> claims_;
    std::map<wire::Uuid, Client> ofClient_;
    std::set<wire::Uuid> untoldClients_;  ///< whose stats are news
    std::set<std::string> untoldNodes_;   ///< of other hosts, likewise
    wire::Uuid lastClientTold_{};         ///< whose turn it was: none waits for long
    std::string lastNodeTold_;
    std::size_t maxText_ = maxDirectoryText;
    Amount ours_;
    Amount elsewhere_;
    std::uint64_t serial_ = 0;
    std::map<wire::Uuid, Host> hosts_;  ///< all others that are there; never our own
    bool asked_ = false;
};

}  // namespace netcluster::daemon
