// Whom an address ("to" of an event) means: which of our clients, and whether somebody on another
// host. What is asked is remembered, so that events in a row cost a look-up each; what is asked
// anew costs what the address and the nodes it means are long, not what all nodes there are.
// Reason: anybody may address anything as often as they like, on the one thread that all share.
// Owned by Nodes, on the loop thread; pure.
#pragma once

#include <boost/dynamic_bitset.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node.hpp"

namespace netcluster::daemon {

class AddressBook {
  public:
    /// Clients of ours come and go, be they nodes or not.
    void addClient(const wire::Uuid& client);
    void removeClient(const wire::Uuid& client);
    /// A node is new or says something else of itself; it is ours when it has a client.
    void put(const Node& node);
    void remove(std::string_view id);

    /// What is wrong with an address; empty: nothing.
    const std::string& whyNot(std::string_view to) { return meaningOf(to).error; }
    /// An expression is about nodes: a client that is none is meant only by one that speaks of
    /// clients (`client=<uuid>`).
    bool isFor(std::string_view to, const wire::Uuid& client);
    /// False when all it may mean are here: ids of ours, or clients of ours.
    bool mayBeElsewhere(std::string_view to) { return meaningOf(to).elsewhere; }

  private:
    /// Addresses remembered. Reason: more than are in use at once; whoever asks for ever new ones
    /// gains nothing and costs little.
    static constexpr std::size_t maxMeanings = 64;

    using Slot = std::uint32_t;  ///< of a node of ours, in sets
    using Slots = std::vector<Slot>;
    using Bits = boost::dynamic_bitset<>;
    /// All nodes that a word is said of.
    struct Audience {
        Slots slots;
        mutable Bits bits{};  ///< the same, once it was asked for; empty when it is to be made anew
    };
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    template <typename Value>
    using ByWord = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

    struct Entry {
        wire::Uuid client{};
        Slot slot = 0;                   ///< if it is ours
        std::vector<std::string> words;  ///< it is filed under
    };
    /// Uuids in order.
    struct Meaning {
        std::string error;
        std::vector<wire::Uuid> clients;   ///< meant
        std::vector<wire::Uuid> spokenOf;  ///< no nodes, and the address names them, meant or not
        bool others = false;               ///< all clients beside those that are no nodes
        bool elsewhere = false;
    };
    class Operands;

    const Meaning& meaningOf(std::string_view to);
    Meaning readMeaning(std::string_view to) const;
    void findClients(const Target& target, Meaning& meaning) const;
    bool findElsewhere(const Target& target) const;
    bool isNode(const wire::Uuid& client) const;
    void file(Entry& entry, const Node& node);
    void unfile(const Entry& entry);
    void forgetMeanings();

    std::map<std::string, Entry, std::less<>> entries_;  ///< by id of the node
    std::map<wire::Uuid, Slots> clients_;                ///< ours, with their nodes
    std::vector<wire::Uuid> clientOf_;                   ///< by slot
    Slots free_;
    ByWord<Audience> ours_;          ///< by name, and by tag as `key=value`
    ByWord<std::size_t> elsewhere_;  ///< names of other hosts' nodes: how many have it

    ByWord<Meaning> meanings_;
    std::string lastTo_;  ///< events come in rows
    const Meaning* last_ = nullptr;
};

}  // namespace netcluster::daemon
