#include "subscriptions.hpp"

#include <algorithm>

namespace netcluster::daemon {

Pattern::Compiled PatternCache::get(std::string_view text) {
    auto& known = patterns_[std::string(text)];
    if (auto pattern = known.lock()) return {std::move(pattern), {}, {}};
    Pattern::Compiled compiled = Pattern::compile(text);
    known = compiled.pattern;
    if (patterns_.size() >= sweepAt_) {
        std::erase_if(patterns_, [](const auto& entry) { return entry.second.expired(); });
        sweepAt_ = std::max<std::size_t>(64, patterns_.size() * 2);
    }
    return compiled;
}

std::string Subscriptions::add(std::uint32_t id, std::string_view text, PatternCache& cache) {
    if (patterns_.size() >= maxPatterns && !patterns_.contains(id)) {
        return "more than " + std::to_string(maxPatterns) + " patterns";
    }
    Pattern::Compiled compiled = cache.get(text);
    if (!compiled.pattern) return compiled.error;
    patterns_[id] = std::move(compiled.pattern);
    return {};
}

bool Subscriptions::match(std::string_view event) const {
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&](const auto& entry) { return entry.second->matches(event); });
}

std::vector<std::string> Subscriptions::texts() const {
    std::vector<std::string> texts;
    texts.reserve(patterns_.size());
    for (const auto& [id, pattern] : patterns_) texts.push_back(pattern->text());
    return texts;
}

}  // namespace netcluster::daemon
