// Every key of config.json: one row each, with how it is read into Settings and written back. The
// parser, toJson, the schema test and "did you mean" all go by these tables. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "settings.hpp"
#include "value.hpp"

namespace netcluster::config {

template <class Section>
struct Key {
    std::string_view name;
    void (*read)(const Value&, Section&);
    /// Null in the row of a key that says nothing about the daemon; a discarded value is not
    /// written.
    nlohmann::json (*write)(const Section&);
};

std::span<const Key<Settings>> documentKeys();
std::span<const Key<ChannelSettings>> channelKeys();

std::vector<std::string_view> documentKeyNames();
std::vector<std::string_view> channelKeyNames();

nlohmann::json channelToJson(const ChannelSettings& channel);

}  // namespace netcluster::config
