#include "unwanted.hpp"

namespace netcluster {

void Unwanted::learn(const wire::Unwanted& unwanted) {
    const std::lock_guard lock(mutex_);
    std::string name(unwanted.name);
    if (table_.size() >= maxNames && !table_.contains(name)) table_.clear();
    const auto at = table_.try_emplace(std::move(name), nowhere).first;
    at->second[reach(unwanted.flags)] = unwanted.generation;
    version_.fetch_add(1, std::memory_order_release);
}

std::uint64_t Unwanted::lookUp(std::string_view name, std::uint8_t flags, Memo& memo) const {
    const std::lock_guard lock(mutex_);
    memo.version = version_.load(std::memory_order_relaxed);
    const auto at = table_.find(std::string(name));
    memo.at = at == table_.end() ? nowhere : at->second;
    return memo.at[reach(flags)];
}

}  // namespace netcluster
