#include "keys.hpp"

#include "channels.hpp"

namespace netcluster::config {
namespace {

using nlohmann::json;

constexpr long long KiB = 1024;
constexpr long long MiB = 1024 * KiB;
constexpr long long GiB = 1024 * MiB;
constexpr std::size_t longestName = 64;        // what a datagram of the link has room for
constexpr std::size_t longestInterface = 255;  // Windows names them in whole words
constexpr std::size_t longestPath = 4096;      // PATH_MAX of Linux

template <class Section>
std::vector<std::string_view> names(std::span<const Key<Section>> keys) {
    std::vector<std::string_view> found;
    for (const auto& key : keys) found.push_back(key.name);
    return found;
}

json written(const EventFilter& filter) {
    if (filter.kind == EventFilter::Kind::matching) return filter.pattern;
    return filter.kind == EventFilter::Kind::all;
}

json written(const std::optional<std::string>& rule) {
    return rule ? json(*rule) : json(false);
}

json octal(std::uint32_t mode) {
    std::string text = "0000";
    for (std::size_t digit = text.size(); digit-- > 0; mode >>= 3) {
        text[digit] = static_cast<char>('0' + (mode & 7));
    }
    return text;
}

// The order is that of docs/configuration.md.
constexpr Key<Settings> documentTable[] = {
    // For editors, which find the schema by it.
    {"$schema", [](const Value& value, Settings&) { readText(value, 1024); }, nullptr},
    {"name", [](const Value& value, Settings& s) { keep(readText(value, longestName), s.name); },
     [](const Settings& s) -> json { return s.name; }},

    {"connecttonet",
     [](const Value& value, Settings& s) { keep(readBool(value), s.link.connectToNet); },
     [](const Settings& s) -> json { return s.link.connectToNet; }},
    {"addr", [](const Value& value, Settings& s) { keep(readGroupAddress(value), s.link.addr); },
     [](const Settings& s) -> json { return s.link.addr; }},
    {"port",
     [](const Value& value, Settings& s) { keep(readInteger(value, 1, 65535), s.link.port); },
     [](const Settings& s) -> json { return s.link.port; }},
    {"dumpnet", [](const Value& value, Settings& s) { keep(readBool(value), s.link.dumpNet); },
     [](const Settings& s) -> json { return s.link.dumpNet; }},
    {"netinterface",
     [](const Value& value, Settings& s) {
         keep(readText(value, longestInterface), s.link.netInterface);
     },
     [](const Settings& s) -> json { return s.link.netInterface; }},
    {"ttl", [](const Value& value, Settings& s) { keep(readInteger(value, 0, 255), s.link.ttl); },
     [](const Settings& s) -> json { return s.link.ttl; }},
    {"peers", [](const Value& value, Settings& s) { keep(readPeers(value), s.link.peers); },
     [](const Settings& s) -> json { return s.link.peers; }},
    {"relay", [](const Value& value, Settings& s) { keep(readBool(value), s.link.relay); },
     [](const Settings& s) -> json { return s.link.relay; }},
    {"heartbeat",
     [](const Value& value, Settings& s) { keep(readInteger(value, 50, 60000), s.link.heartbeat); },
     [](const Settings& s) -> json { return s.link.heartbeat.count(); }},
    {"netkeyfile",
     [](const Value& value, Settings& s) { keep(readText(value, longestPath), s.link.netKeyFile); },
     [](const Settings& s) -> json { return s.link.netKeyFile; }},
    {"netrate",
     [](const Value& value, Settings& s) {
         keep(readBytesOrZero(value, 64 * KiB, 64 * GiB), s.link.netRate);
     },
     [](const Settings& s) -> json { return s.link.netRate; }},
    {"repairbuffer",
     [](const Value& value, Settings& s) { keep(readBytes(value, MiB, GiB), s.link.repairBuffer); },
     [](const Settings& s) -> json { return s.link.repairBuffer; }},

    {"startcontrol", [](const Value& value, Settings& s) { keep(readBool(value), s.startControl); },
     [](const Settings& s) -> json { return s.startControl; }},

    {"maxevent",
     [](const Value& value, Settings& s) { keep(readBytes(value, 1, 64 * MiB), s.maxEvent); },
     [](const Settings& s) -> json { return s.maxEvent; }},
    {"clientqueue",
     [](const Value& value, Settings& s) { keep(readBytes(value, 64 * KiB, GiB), s.clientQueue); },
     [](const Settings& s) -> json { return s.clientQueue; }},
    {"processqueue",
     [](const Value& value, Settings& s) {
         keep(readBytes(value, 64 * KiB, 64 * GiB), s.processQueue);
     },
     [](const Settings& s) -> json { return s.processQueue; }},
    {"stalltimeout",
     [](const Value& value, Settings& s) { keep(readInteger(value, 10, 60000), s.stallTimeout); },
     [](const Settings& s) -> json { return s.stallTimeout.count(); }},
    {"maxclients",
     [](const Value& value, Settings& s) { keep(readInteger(value, 1, 65536), s.maxClients); },
     [](const Settings& s) -> json { return s.maxClients; }},

    {"channels", [](const Value& value, Settings& s) { readChannels(value, s.channels); },
     [](const Settings& s) -> json {
         json channels = json::object();
         for (const auto& [name, channel] : s.channels) channels[name] = channelToJson(channel);
         return channels;
     }},
};

constexpr Key<ChannelSettings> channelTable[] = {
    {"propagatetochannels",
     [](const Value& value, ChannelSettings& c) {
         keep(readChannelRule(value), c.propagateToChannels);
     },
     [](const ChannelSettings& c) { return written(c.propagateToChannels); }},
    {"propagatetonet",
     [](const Value& value, ChannelSettings& c) { keep(readEventFilter(value), c.propagateToNet); },
     [](const ChannelSettings& c) { return written(c.propagateToNet); }},
    {"acceptfromnet",
     [](const Value& value, ChannelSettings& c) { keep(readEventFilter(value), c.acceptFromNet); },
     [](const ChannelSettings& c) { return written(c.acceptFromNet); }},
    {"allowbroadcast",
     [](const Value& value, ChannelSettings& c) { keep(readBool(value), c.allowBroadcast); },
     [](const ChannelSettings& c) -> json { return c.allowBroadcast; }},
    {"dumptoconsole",
     [](const Value& value, ChannelSettings& c) { keep(readBool(value), c.dumpToConsole); },
     [](const ChannelSettings& c) -> json { return c.dumpToConsole; }},
    {"slowconsumer",
     [](const Value& value, ChannelSettings& c) { keep(readSlowConsumer(value), c.slowConsumer); },
     [](const ChannelSettings& c) -> json { return slowConsumerName(c.slowConsumer); }},
    {"mode", [](const Value& value, ChannelSettings& c) { keep(readMode(value), c.mode); },
     [](const ChannelSettings& c) { return octal(c.mode); }},
    {"group", [](const Value& value, ChannelSettings& c) { keep(readGroup(value), c.group); },
     [](const ChannelSettings& c) {
         return c.group.empty() ? json(json::value_t::discarded) : json(c.group);
     }},
};

}  // namespace

std::span<const Key<Settings>> documentKeys() {
    return documentTable;
}
std::span<const Key<ChannelSettings>> channelKeys() {
    return channelTable;
}

std::vector<std::string_view> documentKeyNames() {
    return names(documentKeys());
}
std::vector<std::string_view> channelKeyNames() {
    return names(channelKeys());
}

json channelToJson(const ChannelSettings& channel) {
    json object = json::object();
    for (const auto& key : channelKeys()) {
        json value = key.write(channel);
        if (!value.is_discarded()) object[std::string(key.name)] = std::move(value);
    }
    return object;
}

json toJson(const Settings& settings) {
    json object = json::object();
    for (const auto& key : documentKeys()) {
        if (key.write != nullptr) object[std::string(key.name)] = key.write(settings);
    }
    return object;
}

}  // namespace netcluster::config
