#include "settings.hpp"

#include <algorithm>
#include <array>

namespace netcluster::config {
namespace {

constexpr std::size_t longestChannelName = 64;

bool channelNameByte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

struct SlowConsumerName {
    SlowConsumer value;
    std::string_view name;
};

constexpr std::array slowConsumerNames{
    SlowConsumerName{SlowConsumer::block, "block"},
    SlowConsumerName{SlowConsumer::dropOldest, "dropoldest"},
    SlowConsumerName{SlowConsumer::dropNewest, "dropnewest"},
    SlowConsumerName{SlowConsumer::disconnect, "disconnect"},
};

}  // namespace

bool validChannelName(const std::string& name) {
    return !name.empty() && name.size() <= longestChannelName && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), channelNameByte);
}

ChannelSettings controlDefaults() {
    ChannelSettings control;
    control.acceptFromNet = {EventFilter::Kind::none, {}};
    control.allowBroadcast = false;
    control.mode = 0600;
    return control;
}

std::string_view slowConsumerName(SlowConsumer value) {
    for (const auto& row : slowConsumerNames) {
        if (row.value == value) return row.name;
    }
    return {};
}

std::optional<SlowConsumer> slowConsumerNamed(std::string_view name) {
    for (const auto& row : slowConsumerNames) {
        if (row.name == name) return row.value;
    }
    return std::nullopt;
}

}  // namespace netcluster::config
