// The rules of config.json, compiled: which channels an event may reach and whether it may cross
// the link. Pure; rebuilt as a whole by every reload.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pattern.hpp"
#include "settings.hpp"

namespace netcluster::daemon {

/// `true`, `false` or a regular expression on event names, ready to ask.
class EventGate {
  public:
    EventGate() = default;
    explicit EventGate(const config::EventFilter& filter);
    bool lets(std::string_view event) const;
    bool letsNothing() const { return kind_ == config::EventFilter::Kind::none; }

  private:
    config::EventFilter::Kind kind_ = config::EventFilter::Kind::none;
    std::shared_ptr<const Pattern> pattern_;
};

struct ChannelRules {
    /// Channels its events propagate to, sorted: never itself, never `control`.
    std::vector<std::string> targets;
    EventGate toNet;
    EventGate fromNet;
    bool allowBroadcast = true;
    bool dump = false;
    bool holdSenders = true;  ///< slowconsumer "block": senders wait when the link is full
};

class RouteTable {
  public:
    RouteTable() = default;
    explicit RouteTable(const config::Settings& settings);

    /// Null when there is no such channel. `control` is not here: no event is routed from or to it.
    const ChannelRules* find(std::string_view channel) const;

  private:
    std::map<std::string, ChannelRules, std::less<>> channels_;
};

}  // namespace netcluster::daemon
