// The patterns one binary client listens to. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pattern.hpp"

namespace netcluster::daemon {

/// Compiled patterns, shared by all clients: a thousand clients that listen to the same events cost
/// one automaton. Loop thread only.
class PatternCache {
  public:
    Pattern::Compiled get(std::string_view text);

  private:
    std::unordered_map<std::string, std::weak_ptr<const Pattern>> patterns_;
    std::size_t sweepAt_ = 64;  // entries; doubles, so sweeping costs nothing on average
};

class Subscriptions {
  public:
    /// Patterns one client may have. Reason: programs have tens; each costs a few kilobytes here.
    static constexpr std::size_t maxPatterns = 4096;

    /// Empty, or why it is refused. An id that is in use is replaced.
    std::string add(std::uint32_t id, std::string_view text, PatternCache& cache);
    void remove(std::uint32_t id) { patterns_.erase(id); }

    bool match(std::string_view event) const;
    std::vector<std::string> texts() const;

  private:
    std::map<std::uint32_t, std::shared_ptr<const Pattern>> patterns_;
};

}  // namespace netcluster::daemon
