#include "emitter.hpp"

#include <algorithm>
#include <netcluster/error.hpp>

namespace netcluster {
namespace {

bool has(const Listening& listening, const Owner& owner,
         const std::optional<std::string_view>& pattern) {
    return listening.owner.get() == &owner && (!pattern || listening.pattern->text() == *pattern);
}

}  // namespace

void Emitter::setSender(const wire::Uuid& uuid) {
    const std::lock_guard lock(mutex_);
    sender_.store(&senders_.emplace_back(uuid), std::memory_order_release);
}

std::uint64_t Emitter::add(std::shared_ptr<Owner> owner, std::string_view pattern,
                           std::function<void(const Event&)> handler, Wish wish) {
    if (!handler) throw Error("a listener for '" + std::string(pattern) + "' is empty");
    auto listening = std::make_shared<Listening>();
    listening->handler = std::move(handler);
    listening->owner = std::move(owner);
    listening->skipOwn = wish.skipOwn;
    listening->once = wish.times == Times::once;

    const std::lock_guard lock(mutex_);
    listening->pattern = compiled(pattern);
    listening->id = ++lastId_;
    PatternUse& use = patterns_.at(listening->pattern->text());
    ++use.listeners;
    if (listening->owner->hearsRemote()) gain(use);
    list_.emplace(listening->id, listening);
    changed();
    return listening->id;
}

// Listeners with the same pattern share one automaton.
std::shared_ptr<const Pattern> Emitter::compiled(std::string_view pattern) {
    std::string text(pattern);
    if (const auto known = patterns_.find(text); known != patterns_.end()) {
        return known->second.compiled;
    }
    Pattern::Compiled fresh = Pattern::compile(text);
    if (!fresh.pattern) throw Error("pattern '" + text + "': " + fresh.error);
    patterns_[std::move(text)].compiled = fresh.pattern;
    return std::move(fresh.pattern);
}

bool Emitter::remove(const Owner& owner, std::uint64_t id,
                     std::optional<std::string_view> pattern) {
    std::shared_ptr<Listening> found;
    bool removed = false;
    {
        const std::lock_guard lock(mutex_);
        if (const auto at = list_.find(id); at != list_.end()) {
            if (!has(*at->second, owner, pattern)) return false;
            found = at->second;
            detachLocked(at);
            removed = true;
        } else {
            // A `once` that runs now, or one that another thread is removing: the promise that it
            // is still when we return holds for this caller too.
            const auto ending = std::find_if(ending_.begin(), ending_.end(), [&](const auto& one) {
                return one->id == id && has(*one, owner, pattern);
            });
            if (ending == ending_.end()) return false;
            found = *ending;
        }
    }
    awaitStill(*found);
    sweep();
    return removed;
}

void Emitter::removeAll(const Owner& owner, std::optional<std::string_view> pattern) {
    std::vector<std::shared_ptr<Listening>> ending;
    {
        const std::lock_guard lock(mutex_);
        for (auto at = list_.begin(); at != list_.end();) {
            at = has(*at->second, owner, pattern) ? detachLocked(at) : std::next(at);
        }
        std::copy_if(ending_.begin(), ending_.end(), std::back_inserter(ending),
                     [&](const auto& one) { return has(*one, owner, pattern); });
    }
    std::vector<const Runnable*> runs;
    runs.reserve(ending.size());
    for (const auto& listening : ending) runs.push_back(listening.get());
    awaitStill(runs);
    sweep();
}

std::size_t Emitter::count(const Owner& owner, std::optional<std::string_view> pattern) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(list_.begin(), list_.end(),
                      [&](const auto& entry) { return has(*entry.second, owner, pattern); }));
}

std::vector<std::string> Emitter::patterns(const Owner& owner) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> texts;
    std::unordered_map<std::string_view, bool> seen;
    for (const auto& [id, listening] : list_) {
        const std::string& text = listening->pattern->text();
        if (has(*listening, owner, {}) && seen.emplace(text, true).second) texts.push_back(text);
    }
    return texts;
}

void Emitter::setRemote(Owner& owner, bool remote) {
    const std::lock_guard lock(mutex_);
    if (owner.hearsRemote() == remote) return;
    owner.remote_.store(remote);
    for (const auto& [id, listening] : list_) {
        if (listening->owner.get() != &owner) continue;
        PatternUse& use = patterns_.at(listening->pattern->text());
        remote ? gain(use) : lose(use);
    }
}

void Emitter::gain(PatternUse& use) {
    if (use.remote++ == 0 && interest_) interest_->wanted(use.compiled->text());
}

void Emitter::lose(PatternUse& use) {
    if (--use.remote == 0 && interest_) interest_->unwanted(use.compiled->text());
}

void Emitter::close() {
    const std::lock_guard lock(mutex_);
    interest_ = nullptr;
    closed_ = true;
    changed();
}

std::shared_ptr<const Snapshot> Emitter::snapshot() const {
    const std::lock_guard lock(mutex_);
    if (!snapshot_) {
        auto fresh = std::make_shared<Snapshot>();
        fresh->generation = generation_.load();
        fresh->listeners.reserve(list_.size());
        for (const auto& [id, listening] : list_) fresh->listeners.push_back(listening);
        snapshot_ = std::move(fresh);
    }
    return snapshot_;
}

void Emitter::detach(Listening& listening) {
    const std::lock_guard lock(mutex_);
    if (const auto at = list_.find(listening.id); at != list_.end()) detachLocked(at);
}

Emitter::List::iterator Emitter::detachLocked(List::iterator at) {
    Listening& listening = *at->second;
    const auto use = patterns_.find(listening.pattern->text());
    if (listening.owner->hearsRemote()) lose(use->second);
    if (--use->second.listeners == 0) patterns_.erase(use);
    listening.gone.store(true);
    ending_.push_back(std::move(at->second));
    changed();
    return list_.erase(at);
}

void Emitter::changed() {
    snapshot_.reset();
    generation_.fetch_add(1);
}

void Emitter::sweep() {
    // Destroyed after the lock is released: what a handler holds may come back to us as it goes.
    std::vector<std::function<void(const Event&)>> ended;
    const std::lock_guard lock(mutex_);
    const RunsSeen seen;
    std::erase_if(ending_, [&](const auto& listening) {
        if (seen.has(*listening)) return false;
        ended.push_back(std::move(listening->handler));
        return true;
    });
}

}  // namespace netcluster
