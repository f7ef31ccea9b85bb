// The file that says who is where: a JSON object per line, as in {"Pid": 5, "Addr":
// "10.0.0.5:4000"}. Any thread.
#pragma once

#include <netcluster/cluster.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::cluster {

struct PeerEntry {
    Pid pid = 0;
    std::string addr{};  ///< as written
    std::string host{};  ///< name or address; IPv6 without its brackets
    std::uint16_t port = 0;
    std::size_t line = 0;
};

/// Others at most. Reason: the sessions that a link remembers.
inline constexpr std::size_t maxOthers = 64;

struct PeersFile {
    std::string name{};
    PeerEntry own{};
    std::vector<PeerEntry> others{};  ///< in the order of their pids
};

/// Throws Error: `name`, the line and what is wrong with it.
PeersFile parsePeers(std::string_view text, const std::string& name, Pid own);
PeersFile readPeers(const std::string& file, Pid own);

}  // namespace netcluster::cluster
