// What a config.json says, as values: every key, its type and its default, in one place.
// Pure data: nothing here opens a file or a socket. `parse.hpp` makes it from text, `diff.hpp`
// compares two of them; docs/configuration.md explains each key to users.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::config {

/// The channel that carries administration only; every configuration must have it.
inline constexpr const char* controlChannel = "control";

/// What a channel does for a client whose queue is full ("slowconsumer").
enum class SlowConsumer { block, dropOldest, dropNewest, disconnect };

/// `true`, `false`, or a regular expression matched against the whole event name.
struct EventFilter {
    enum class Kind { none, all, matching };
    Kind kind = Kind::none;
    std::string pattern;  ///< RE2 syntax; used only when `matching`

    bool operator==(const EventFilter&) const = default;
};

struct ChannelSettings {
    /// "propagatetochannels": a regular expression *searched* in channel names; nullopt is `false`.
    std::optional<std::string> propagateToChannels;
    EventFilter propagateToNet{EventFilter::Kind::none, {}};  ///< "propagatetonet"
    EventFilter acceptFromNet{EventFilter::Kind::all, {}};    ///< "acceptfromnet"
    bool dumpToConsole = false;                               ///< "dumptoconsole"
    bool allowBroadcast = true;                               ///< "allowbroadcast"
    SlowConsumer slowConsumer = SlowConsumer::block;          ///< "slowconsumer"
    /// "mode": permission bits of the socket, octal text. `control` defaults to 0600.
    std::uint32_t mode = 0660;
    std::string group;  ///< "group": group that owns the socket; empty keeps the daemon's own

    bool operator==(const ChannelSettings&) const = default;
};

/// The link between hosts.
struct LinkSettings {
    bool connectToNet = true;  ///< "connecttonet": open the link at all
    /// "addr": multicast group, IPv4 or IPv6; "" for peers alone
    std::string addr = "239.255.44.54";
    std::uint16_t port = 4454;       ///< "port"
    bool dumpNet = false;            ///< "dumpnet": log every event that comes from the link
    std::string netInterface;        ///< "netinterface": name, address or "all"; "" means all
    int ttl = 1;                     ///< "ttl": 0 to 255
    std::vector<std::string> peers;  ///< "peers": "host:port" or "[v6]:port", reached by unicast
    bool relay = false;              ///< "relay": pass on to other hosts what one of them sent
    std::chrono::milliseconds heartbeat{1000};  ///< "heartbeat": 50 to 60000 ms
    /// "netkeyfile": the group keys, relative to the configuration's folder; "" for no encryption
    std::string netKeyFile;
    std::size_t netRate = 0;  ///< "netrate": most bytes sent per second; 0: no cap of its own
    std::size_t repairBuffer = std::size_t{32} << 20;  ///< "repairbuffer": bytes kept to repeat

    bool operator==(const LinkSettings&) const = default;
};

struct Settings {
    std::string name;  ///< "name": this host as others see it; "" means the system's host name
    LinkSettings link;
    bool startControl = true;  ///< "startcontrol": serve ncctl

    std::size_t maxEvent = std::size_t{4} << 20;     ///< "maxevent": bytes of data, at most 64 MiB
    std::size_t clientQueue = std::size_t{8} << 20;  ///< "clientqueue": bytes queued for one client
    std::size_t processQueue = std::size_t{64} << 20;  ///< "processqueue": bytes queued in all
    std::chrono::milliseconds stallTimeout{250};       ///< "stalltimeout": ms without progress
    std::size_t maxClients = 16384;                    ///< "maxclients": connections in all

    std::map<std::string, ChannelSettings> channels;  ///< "channels"; `control` is always there

    bool operator==(const Settings&) const = default;
};

/// What may stand in `channels`: [A-Za-z0-9._-]{1,64}, not starting with a dot.
bool validChannelName(const std::string& name);

/// What `control` is when the text says nothing more: mode 0600, and deaf to the link and to
/// broadcasts, since no event ever propagates into or out of it.
ChannelSettings controlDefaults();

/// The word for it in config.json, and back.
std::string_view slowConsumerName(SlowConsumer value);
std::optional<SlowConsumer> slowConsumerNamed(std::string_view name);

}  // namespace netcluster::config
