// Clusters of servers in this process, on this host's loopback interface.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <netcluster/cluster.hpp>
#include <random>
#include <string>
#include <vector>

#include "temporary_directory.hpp"

namespace netcluster::cluster {

inline constexpr std::chrono::seconds patience{60};

/// Ports of this run's own, below those that the system gives out by itself.
inline std::uint16_t portOf(std::size_t i) {
    static const unsigned begin = 10'000 + std::random_device()() % 1'200 * 16;
    return static_cast<std::uint16_t>(begin + i);
}

inline Pid pidAt(std::size_t i) {
    return static_cast<Pid>(100 + 11 * i);
}

inline std::string lineFor(Pid pid, std::uint16_t port) {
    return Json{{"Pid", pid}, {"Addr", "127.0.0.1:" + std::to_string(port)}}.dump() + "\n";
}

struct PeersFileOnDisk {
    testing::TemporaryDirectory dir;
    std::string name = dir.file("peers.json");

    explicit PeersFileOnDisk(const std::string& text) {
        std::ofstream(name, std::ios::binary) << text;
    }
    explicit PeersFileOnDisk(std::size_t servers) : PeersFileOnDisk(linesFor(servers)) {}

    static std::string linesFor(std::size_t servers) {
        std::string text;
        for (std::size_t i = 0; i < servers; ++i) text += lineFor(pidAt(i), portOf(i));
        return text;
    }
};

/// What became of envelopes that found nobody.
class Reports {
  public:
    void add(const Undelivered& one) {
        const std::lock_guard lock(mutex_);
        all_.push_back(one);
        changed_.notify_all();
    }
    std::vector<Undelivered> await(std::size_t count) {
        std::unique_lock lock(mutex_);
        CHECK(changed_.wait_for(lock, patience, [&] { return all_.size() >= count; }));
        return all_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Undelivered> all_;
};

struct Cluster {
    PeersFileOnDisk file;
    std::vector<std::unique_ptr<Server>> servers;

    explicit Cluster(std::size_t count, Options options = {}) : file(count) {
        // Each start warns that there are no keys.
        if (!options.onWarning) options.onWarning = [](const std::string&) {};
        for (std::size_t i = 0; i < count; ++i) {
            servers.push_back(std::make_unique<Server>(pidAt(i), file.name, options));
        }
    }
    Server& operator[](std::size_t i) { return *servers[i]; }
    void start() {
        for (const auto& server : servers) server->start();
    }
    void stop() {
        for (const auto& server : servers) server->stop();
    }
};

inline void send(Server& from, Pid to, Json msg, std::int64_t msgId = 0) {
    CHECK(from.outbox().send({to, msgId, std::move(msg)}, patience) == Sent::accepted);
}

inline Envelope receive(Server& at) {
    auto envelope = at.inbox().receive(patience);
    REQUIRE(envelope);
    return *envelope;
}

}  // namespace netcluster::cluster
