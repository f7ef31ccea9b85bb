// Who sends what cannot be taken: addresses whose datagrams were refused, and why. Each is worth a
// line in the log once; `doctor` shows all. Bounded: a forger may claim any address. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "datagram.hpp"
#include "remote.hpp"

namespace netcluster::daemon::link {

class Strangers {
  public:
    /// Addresses remembered. Reason: twice the hosts of a LAN.
    static constexpr std::size_t most = 128;

    struct Stranger {
        Bad reason = Bad::none;  ///< of the last one
        std::uint64_t count = 0;
        Time last{};
    };

    /// True when this is the first of that address with that reason.
    bool note(Time now, const boost::asio::ip::address& address, Bad reason) {
        if (all_.size() >= most && !all_.contains(address)) forgetQuietest();
        Stranger& stranger = all_[address];
        const bool news = stranger.reason != reason;
        stranger = {reason, stranger.count + 1, now};
        return news;
    }

    const std::map<boost::asio::ip::address, Stranger>& all() const { return all_; }

  private:
    void forgetQuietest() {
        all_.erase(std::min_element(all_.begin(), all_.end(), [](const auto& a, const auto& b) {
            return a.second.last < b.second.last;
        }));
    }

    std::map<boost::asio::ip::address, Stranger> all_;
};

}  // namespace netcluster::daemon::link
