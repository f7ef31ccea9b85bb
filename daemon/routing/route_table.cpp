#include "route_table.hpp"

namespace netcluster::daemon {
namespace {

std::vector<std::string> targetsOf(const std::string& channel,
                                   const config::ChannelSettings& settings,
                                   const config::Settings& all) {
    std::vector<std::string> targets;
    if (!settings.propagateToChannels) return targets;
    // Validated when the configuration was read, so it compiles.
    const auto rule =
        Pattern::compile(*settings.propagateToChannels, Pattern::Anchor::anywhere).pattern;
    if (!rule) return targets;
    for (const auto& [name, ignored] : all.channels) {
        if (name == channel || name == config::controlChannel) continue;
        if (rule->matches(name)) targets.push_back(name);
    }
    return targets;
}

}  // namespace

EventGate::EventGate(const config::EventFilter& filter) : kind_(filter.kind) {
    if (kind_ == config::EventFilter::Kind::matching) {
        pattern_ = Pattern::compile(filter.pattern).pattern;
    }
}

bool EventGate::lets(std::string_view event) const {
    switch (kind_) {
        case config::EventFilter::Kind::none:
            return false;
        case config::EventFilter::Kind::all:
            return true;
        case config::EventFilter::Kind::matching:
            return pattern_ && pattern_->matches(event);
    }
    return false;
}

RouteTable::RouteTable(const config::Settings& settings) {
    for (const auto& [name, channel] : settings.channels) {
        if (name == config::controlChannel) continue;
        channels_[name] = ChannelRules{targetsOf(name, channel, settings),
                                       EventGate(channel.propagateToNet),
                                       EventGate(channel.acceptFromNet),
                                       channel.allowBroadcast,
                                       channel.dumpToConsole,
                                       channel.slowConsumer == config::SlowConsumer::block};
    }
}

const ChannelRules* RouteTable::find(std::string_view channel) const {
    const auto found = channels_.find(channel);
    return found == channels_.end() ? nullptr : &found->second;
}

}  // namespace netcluster::daemon
