// One way out of this host: a socket and where it sends to. The group on one interface is a path,
// each peer is one. Every datagram goes out on every path. Owned by Transport; loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "udp_socket.hpp"

namespace netcluster::daemon::link {

/// How long a path whose buffer is full holds up the others. Reason: a busy interface makes room
/// within milliseconds; one without carrier never does, and must not silence the rest.
inline constexpr std::chrono::milliseconds pathPatience{100};

class Path {
  public:
    struct Counts {
        std::uint64_t datagrams = 0;
        std::uint64_t bytes = 0;
        std::uint64_t skipped = 0;  ///< given up because the path took nothing for `pathPatience`
        std::uint64_t tooBig = 0;   ///< larger than the path's MTU
        std::uint64_t failed = 0;
    };

    /// `label` is how log and stats call it.
    Path(std::string label, std::shared_ptr<UdpSocket> socket, Endpoint to)
        : label_(std::move(label)), socket_(std::move(socket)), to_(std::move(to)) {}

    /// False: the path is full, offer the same batch again soon. True: each of its datagrams is
    /// sent, or never will be on this path, which is counted and logged when it begins.
    bool offer(Time now, const Batch& batch);
    void forgetBatch() {
        done_ = 0;
        settled = false;
    }
    /// One datagram, now or never.
    void offerOnce(Time now, std::string_view datagram);

    const std::string& label() const { return label_; }
    const std::shared_ptr<UdpSocket>& socket() const { return socket_; }
    const Endpoint& to() const { return to_; }
    const Counts& counts() const { return counts_; }

    /// Kept by Transport: the batch being sent is settled here.
    bool settled = false;

  private:
    std::size_t attempt(Time now, const Batch& batch);
    bool full(Time now, std::size_t left);
    void complain(Time now, const std::string& why);

    std::string label_;
    std::shared_ptr<UdpSocket> socket_;
    Endpoint to_;
    Counts counts_;
    std::size_t done_ = 0;  ///< datagrams of the batch being sent
    std::optional<Time> fullSince_;
    std::optional<Time> complained_;
    bool inTrouble_ = false;
    bool saidTooBig_ = false;
};

}  // namespace netcluster::daemon::link
