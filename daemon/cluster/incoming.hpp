// What servers say to each other (docs/cluster-guide.md), out of the text of the events: nothing,
// when it is something else. Whoever is in the network can send that. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <netcluster/cluster.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::cluster {

/// Of a `hello`: the names that its sender has heard.
std::optional<std::vector<std::string>> heardIn(std::string_view text);

/// Of an `ack`: up to which number its sender has the envelopes of each name.
std::optional<std::map<std::string, std::uint64_t>> upToIn(std::string_view text);

struct Incoming {
    Envelope envelope{};  ///< its pid is to be said
    std::uint64_t serial = 0;
    std::vector<Pid> notFor{};
};
std::optional<Incoming> envelopeIn(std::string_view text);

}  // namespace netcluster::cluster
