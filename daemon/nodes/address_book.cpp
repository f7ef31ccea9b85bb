#include "address_book.hpp"

#include <algorithm>

namespace netcluster::daemon {
namespace {

constexpr std::string_view clientTag = "client";

bool has(const std::vector<wire::Uuid>& sorted, const wire::Uuid& uuid) {
    return std::binary_search(sorted.begin(), sorted.end(), uuid);
}

void sortOut(std::vector<wire::Uuid>& uuids) {
    std::sort(uuids.begin(), uuids.end());
    uuids.erase(std::unique(uuids.begin(), uuids.end()), uuids.end());
}

// Spelled as everybody is told; any other is nobody's.
wire::Uuid uuidIn(const std::string& text) {
    const wire::Uuid uuid = wire::uuidFromText(text);
    return wire::uuidText(uuid) == text ? uuid : wire::Uuid{};
}

}  // namespace

// Sets of those that are meant: first the slots of nodes, then one for each client without nodes
// that is spoken of, then one for all other clients without nodes.
class AddressBook::Operands {
  public:
    Operands(const AddressBook& book, const std::vector<wire::Uuid>& spokenOf)
        : book_(book), spokenOf_(spokenOf) {}

    std::size_t size() const { return book_.clientOf_.size() + spokenOf_.size() + 1; }
    Bits none() const { return Bits(size()); }
    Bits all() const { return none().set(); }
    Bits named(const std::string& name) { return under(name); }
    Bits tagged(const std::string& key, const std::string& value) {
        return key == clientTag ? client(uuidIn(value)) : under(key + '=' + value);
    }

  private:
    /// Sets of more than this are kept. Reason: the most that is needed to make one anew.
    static constexpr std::size_t few = 64;

    Bits under(const std::string& word) {
        const auto found = book_.ours_.find(word);
        if (found == book_.ours_.end()) return none();
        const auto& [slots, kept] = found->second;
        if (slots.size() <= few) return made(slots);
        if (kept.empty()) kept = made(slots);
        Bits bits = kept;
        bits.resize(size());
        return bits;
    }

    Bits made(const Slots& slots) const {
        Bits bits = none();
        for (const Slot slot : slots) bits.set(slot);
        return bits;
    }

    Bits client(const wire::Uuid& uuid) const {
        Bits bits = none();
        if (const auto at = std::lower_bound(spokenOf_.begin(), spokenOf_.end(), uuid);
            at != spokenOf_.end() && *at == uuid) {
            bits.set(book_.clientOf_.size() + static_cast<std::size_t>(at - spokenOf_.begin()));
        } else if (const auto found = book_.clients_.find(uuid); found != book_.clients_.end()) {
            for (const Slot slot : found->second) bits.set(slot);
        }
        return bits;
    }

    const AddressBook& book_;
    const std::vector<wire::Uuid>& spokenOf_;
};

// -- who is there ------------------------------------------------------------------------------

void AddressBook::addClient(const wire::Uuid& client) {
    clients_.try_emplace(client);
    forgetMeanings();
}

void AddressBook::removeClient(const wire::Uuid& client) {
    clients_.erase(client);
    forgetMeanings();
}

bool AddressBook::isNode(const wire::Uuid& client) const {
    const auto found = clients_.find(client);
    return found != clients_.end() && !found->second.empty();
}

void AddressBook::put(const Node& node) {
    const auto [found, isNew] = entries_.try_emplace(node.said.id);
    if (!isNew) unfile(found->second);
    file(found->second, node);
    forgetMeanings();
}

void AddressBook::remove(std::string_view id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    unfile(found->second);
    entries_.erase(found);
    forgetMeanings();
}

void AddressBook::file(Entry& entry, const Node& node) {
    entry.client = node.client;
    if (node.client == wire::Uuid{}) {
        entry.words = node.names();
        for (const std::string& name : entry.words) ++elsewhere_[name];
        return;
    }
    if (free_.empty()) {
        free_.push_back(static_cast<Slot>(clientOf_.size()));
        clientOf_.emplace_back();
    }
    entry.slot = free_.back();
    free_.pop_back();
    clientOf_[entry.slot] = node.client;
    clients_[node.client].push_back(entry.slot);
    entry.words = node.names();
    for (std::string& tag : node.tags()) entry.words.push_back(std::move(tag));
    for (const std::string& word : entry.words) {
        Audience& audience = ours_[word];
        audience.slots.push_back(entry.slot);
        audience.bits.clear();
    }
}

void AddressBook::unfile(const Entry& entry) {
    if (entry.client == wire::Uuid{}) {
        for (const std::string& name : entry.words) {
            const auto found = elsewhere_.find(name);
            if (--found->second == 0) elsewhere_.erase(found);
        }
        return;
    }
    for (const std::string& word : entry.words) {
        const auto found = ours_.find(word);
        Audience& audience = found->second;
        std::erase(audience.slots, entry.slot);
        audience.bits.clear();
        if (audience.slots.empty()) ours_.erase(found);
    }
    if (const auto found = clients_.find(entry.client); found != clients_.end()) {
        std::erase(found->second, entry.slot);
    }
    clientOf_[entry.slot] = {};
    free_.push_back(entry.slot);
}

// -- what an address means ---------------------------------------------------------------------

bool AddressBook::isFor(std::string_view to, const wire::Uuid& client) {
    const Meaning& meaning = meaningOf(to);
    if (has(meaning.clients, client)) return true;
    return meaning.others && !isNode(client) && !has(meaning.spokenOf, client);
}

void AddressBook::forgetMeanings() {
    meanings_.clear();
    last_ = nullptr;
}

const AddressBook::Meaning& AddressBook::meaningOf(std::string_view to) {
    if (last_ && to == lastTo_) return *last_;
    auto found = meanings_.find(to);
    if (found == meanings_.end()) {
        if (meanings_.size() == maxMeanings) meanings_.clear();
        found = meanings_.emplace(std::string(to), readMeaning(to)).first;
    }
    lastTo_ = to;
    last_ = &found->second;
    return *last_;
}

AddressBook::Meaning AddressBook::readMeaning(std::string_view to) const {
    Meaning meaning;
    const auto [target, error] = Target::compile(to);
    if (!target) {
        meaning.error = "\"to\" is no target: " + error;
        return meaning;
    }
    findClients(*target, meaning);
    meaning.elsewhere = findElsewhere(*target);
    return meaning;
}

void AddressBook::findClients(const Target& target, Meaning& meaning) const {
    const auto mentioned = target.valuesOf(clientTag);
    for (const std::string& text : mentioned) {
        const wire::Uuid uuid = uuidIn(text);
        if (!isNode(uuid)) meaning.spokenOf.push_back(uuid);
    }
    sortOut(meaning.spokenOf);
    Operands operands(*this, meaning.spokenOf);
    const auto meant = target.evaluate(operands);
    const std::size_t nodes = clientOf_.size();
    for (std::size_t slot = meant.find_first(); slot < nodes; slot = meant.find_next(slot)) {
        if (clientOf_[slot] != wire::Uuid{}) meaning.clients.push_back(clientOf_[slot]);
    }
    if (!mentioned.empty()) {
        for (std::size_t n = 0; n < meaning.spokenOf.size(); ++n) {
            if (meant[nodes + n]) meaning.clients.push_back(meaning.spokenOf[n]);
        }
        meaning.others = meant[meant.size() - 1];
    }
    sortOut(meaning.clients);
}

// Names that nobody is known by may be on their way here.
bool AddressBook::findElsewhere(const Target& target) const {
    if (const auto clients = target.valuesOf(clientTag); target.isListOf(clientTag)) {
        return !std::all_of(clients.begin(), clients.end(), [&](const std::string& client) {
            return clients_.contains(uuidIn(client));
        });
    }
    const auto names = target.names();
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
               const auto found = entries_.find(name);
               return found == entries_.end() || found->second.client == wire::Uuid{} ||
                      elsewhere_.contains(name);
           });
}

}  // namespace netcluster::daemon
