#include "own_nodes.hpp"

#include <algorithm>

#include "node_codec.hpp"

namespace netcluster {
namespace {

constexpr std::string_view clientTag = "client";

// As the daemon does it: a connection that is no node is meant only where clients are spoken of.
class Addressee final : public Tagged {
  public:
    Addressee(const std::string& client, const Node* node) : client_(client), node_(node) {}

    bool isNamed(std::string_view name) const override {
        return node_ && TaggedNode(*node_).isNamed(name);
    }
    bool hasTag(std::string_view key, std::string_view value) const override {
        if (key == clientTag) return !client_.empty() && value == client_;
        return node_ && TaggedNode(*node_).hasTag(key, value);
    }

  private:
    const std::string& client_;
    const Node* node_;
};

}  // namespace

std::uint64_t OwnNodes::ask(const std::shared_ptr<Mailbox>& agent, NodeDescription said,
                            std::string text) {
    const std::lock_guard lock(mutex_);
    const std::string id = said.id;
    const std::uint64_t number = ++lastNumber_;
    const auto [entry, isNew] = entries_.try_emplace(id, Entry{agent, number});
    if (entry->second.agent != agent) {
        throw Error("there is a node " + id + " of another agent of this process");
    }
    asked_[number] = {id, std::move(said), std::move(text)};
    return number;
}

// The entry that the request was about; none when it has been forgotten since.
OwnNodes::Entries::iterator OwnNodes::entryOf(std::uint64_t number, const Asked& asked) {
    const auto entry = entries_.find(asked.id);
    return entry != entries_.end() && entry->second.since <= number ? entry : entries_.end();
}

std::optional<OwnNodes::Answered> OwnNodes::granted(std::uint64_t number, const std::string& host) {
    const std::lock_guard lock(mutex_);
    auto asked = asked_.extract(number);
    if (!asked) return {};
    const auto entry = entryOf(number, asked.mapped());
    auto& [id, said, text, isAgain] = asked.mapped();
    if (entry == entries_.end()) {
        if (!isAgain || entries_.contains(id)) return {};
        return Answered{id, nullptr, true};
    }
    const bool isNew = !std::exchange(entry->second.granted, true);
    if (!isAgain) {
        Node& node = entry->second.node;
        node.id = id;
        node.regions = std::move(said.regions);
        node.info = std::move(said.info);
        node.services = std::move(said.services);
        entry->second.text = std::move(text);
    }
    entry->second.node.host = host;
    return Answered{id, entry->second.agent, isAgain, isNew};
}

std::optional<OwnNodes::Answered> OwnNodes::refused(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto asked = asked_.extract(number);
    if (!asked) return {};
    const auto entry = entryOf(number, asked.mapped());
    if (entry == entries_.end()) return {};
    Answered answered{asked.mapped().id, entry->second.agent, asked.mapped().isAgain};
    // A change that was refused leaves it as it was.
    const bool stays = entry->second.granted && !answered.isAgain;
    if (!stays && !isAskedLocked(answered.id)) entries_.erase(entry);
    return answered;
}

void OwnNodes::unanswered() {
    const std::lock_guard lock(mutex_);
    asked_.clear();
    std::erase_if(entries_, [](const auto& entry) { return !entry.second.granted; });
}

std::vector<OwnNodes::Request> OwnNodes::again() {
    const std::lock_guard lock(mutex_);
    std::vector<Request> requests;
    for (const auto& [id, entry] : entries_) {
        if (!entry.granted) continue;
        asked_[++lastNumber_] = {id, {}, {}, true};
        requests.push_back({lastNumber_, entry.text});
    }
    return requests;
}

bool OwnNodes::forget(const Mailbox& agent, std::string_view id) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(id);
    if (entry == entries_.end() || entry->second.agent.get() != &agent) return false;
    if (!entry->second.granted) return false;
    entries_.erase(entry);
    return true;
}

std::vector<std::string> OwnNodes::forgetAll(const Mailbox& agent) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    std::erase_if(entries_, [&](const auto& entry) {
        if (entry.second.agent.get() != &agent) return false;
        ids.push_back(entry.first);
        return true;
    });
    return ids;
}

std::shared_ptr<Mailbox> OwnNodes::lost(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(id);
    if (entry == entries_.end() || !entry->second.granted || isAskedLocked(id)) return {};
    auto agent = entry->second.agent;
    entries_.erase(entry);
    return agent;
}

bool OwnNodes::isAskedLocked(std::string_view id) const {
    return std::any_of(asked_.begin(), asked_.end(),
                       [&](const auto& asked) { return asked.second.id == id; });
}

bool OwnNodes::isAsked(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    return isAskedLocked(id);
}

bool OwnNodes::has(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(id);
    return entry != entries_.end() && entry->second.granted;
}

bool OwnNodes::empty() const {
    const std::lock_guard lock(mutex_);
    return std::none_of(entries_.begin(), entries_.end(),
                        [](const auto& entry) { return entry.second.granted; });
}

bool OwnNodes::isMeant(const Target& target, const std::string& client) const {
    const std::lock_guard lock(mutex_);
    bool isNode = false;
    for (const auto& [id, entry] : entries_) {
        if (!entry.granted) continue;
        isNode = true;
        if (target.matches(Addressee(client, &entry.node))) return true;
    }
    return !isNode && target.mentions(clientTag) && target.matches(Addressee(client, nullptr));
}

}  // namespace netcluster
