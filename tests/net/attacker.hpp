// Somebody else in the hosts' network: hears the group, keeps what it hears, says what it likes. It
// has no key, and nothing of the daemon's code.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lab.hpp"

namespace netcluster::scenario {

class Attacker {
  public:
    explicit Attacker(Lab& lab);
    ~Attacker();
    Attacker(const Attacker&) = delete;
    Attacker& operator=(const Attacker&) = delete;

    /// Datagrams of the group heard so far, 50,000 at most, the oldest first.
    std::vector<std::string> captured() const;
    /// Returns when it has heard so many.
    std::vector<std::string> capture(std::size_t count) const;

    /// To the group, and to each host by unicast. Slow enough that every one of them can be read.
    void say(const std::vector<std::string>& datagrams) const;
    /// The same as fast as this thread can, to the group alone.
    void flood(const std::vector<std::string>& datagrams, std::uint64_t count) const;

  private:
    void open();
    void listen();
    void sendTo(const std::string& address, std::string_view datagram) const;

    std::vector<std::string> hosts_;
    std::unique_ptr<NetworkNamespace> network_;
    int socket_ = -1;
    mutable std::mutex mutex_;
    std::vector<std::string> captured_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

/// The parts of a datagram's header that stay readable (docs/link-protocol.md).
namespace datagram {
inline constexpr std::size_t version = 2, type = 3, keyId = 4, flags = 6, session = 8, number = 24,
                             size = 32;
}

/// Datagrams of random length and content; of those, one in two begins like a real one.
std::vector<std::string> garbage(std::size_t count, unsigned seed);
/// Of each type there is or might be, with the header of `real`: its session, key and version, and
/// packet numbers that come next. The content is random.
std::vector<std::string> forgedLike(const std::string& real, unsigned seed);
/// Each bit of the header flipped, and some of what follows it.
std::vector<std::string> flipped(const std::string& real, unsigned seed);

}  // namespace netcluster::scenario
