// Links on this host's loopback interface, all on one loop. Nothing here waits for time to pass:
// the loop runs until what is expected has happened, or a generous deadline is over.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "link.hpp"
#include "link_system.hpp"
#include "link_testing.hpp"

namespace netcluster::daemon {

using Udp = boost::asio::ip::udp;

/// A port that no other test of this machine uses at the same time: `offset` tells the tests of one
/// process apart. Below the range that the system gives out by itself.
inline std::uint16_t testPort(unsigned offset) {
    return static_cast<std::uint16_t>(10'000 + (processNumber() * 16 + offset) % 20'000);
}

inline const char* testGroup = "239.255.44.54";
inline const char* testGroupV6 = "ff12::4e43:4454";

/// Runs the loop until `done` holds. False: the deadline came first.
inline bool runUntil(boost::asio::io_context& io, const std::function<bool()>& done,
                     std::chrono::seconds patience = std::chrono::seconds(30)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        io.restart();
        if (std::chrono::steady_clock::now() >= deadline) return false;
        io.run_one_until(deadline);
    }
    return true;
}

/// True when this system loops multicast on `lo` back to us.
inline bool multicastOnLoopback(bool ipv6) {
    namespace ip = boost::asio::ip;
    boost::asio::io_context io;
    try {
        auto group = ip::make_address(ipv6 ? testGroupV6 : testGroup);
        const Udp::endpoint to(group, testPort(15));
        Udp::socket socket(io, to.protocol());
        socket.set_option(Udp::socket::reuse_address(true));
        socket.bind({ipv6 ? ip::address(ip::address_v6::any()) : ip::address_v4::any(), to.port()});
        if (ipv6) {
            socket.set_option(ip::multicast::join_group(group.to_v6(), 1));
            socket.set_option(ip::multicast::outbound_interface(1));
        } else {
            socket.set_option(ip::multicast::join_group(group.to_v4(), ip::address_v4::loopback()));
            socket.set_option(ip::multicast::outbound_interface(ip::address_v4::loopback()));
        }
        bool heard = false;
        char byte = 'x';
        socket.send_to(boost::asio::buffer(&byte, 1), to);
        socket.async_receive(boost::asio::buffer(&byte, 1),
                             [&](const auto& error, std::size_t) { heard = !error; });
        return runUntil(
            io, [&] { return heard; }, std::chrono::seconds(5));
    } catch (const boost::system::system_error&) {
        return false;
    }
}

/// Remembers what a link handed in.
struct Inbox : NetSink {
    struct Event {
        std::string name, payload, host;
    };
    void onNetEvents(const wire::EventRun& run) override {
        wire::forEachFrame(run.frames, [&](std::string_view frame) {
            const wire::EventView event = run.event(frame);
            events.push_back(
                {std::string(event.name), std::string(event.payload), std::string(event.host)});
        });
        if (then) then();
    }
    void onNetNotice(std::string_view event, std::string_view json) override {
        notices.push_back({std::string(event), nlohmann::json::parse(json)});
        if (then) then();
    }
    void endTurn() override { writtenNotices = notices.size(); }
    bool holds(Waiter& link) override {
        if (lagging) waiter = &link;
        return lagging;
    }

    /// Of those that clients have been written.
    bool wrote(const std::string& notice) const {
        for (std::size_t i = 0; i < writtenNotices; ++i) {
            if (notices[i].name == notice) return true;
        }
        return false;
    }

    struct Notice {
        std::string name;
        nlohmann::json data;
    };

    std::vector<Event> events;
    std::vector<Notice> notices;
    std::size_t writtenNotices = 0;
    bool lagging = false;      ///< a client lags behind
    Waiter* waiter = nullptr;  ///< who waits for it
    std::function<void()> then;
};

/// A client that waits for the link.
struct WaitingSource final : Source {
    const wire::Uuid& uuid() const override { return uuid_; }
    const std::string& channel() const override { return channel_; }
    void resume() override { ++resumed; }
    void reply(std::string_view, std::string_view, std::string_view) override {}
    void unwanted(std::string_view, std::uint8_t, std::uint64_t) override {}
    void refused(const wire::EventView&, std::string_view) override {}
    void misbehaved(std::string_view) override {}
    std::string label() const override { return channel_; }

    int resumed = 0;

  private:
    wire::Uuid uuid_{};
    std::string channel_ = "A";
};

struct Daemon {
    Daemon(boost::asio::io_context& io, std::uint8_t id, std::string name,
           const config::LinkSettings& settings, link::Keyring keys = {})
        : link(std::make_unique<Link>(
              io, settings,
              LinkIdentity{link::uuidOf(id), link::uuidOf(static_cast<std::uint8_t>(id + 100)),
                           std::move(name)},
              std::move(keys), std::size_t{4} << 20, inbox)) {}

    void emit(std::string_view name, std::string_view payload) {
        const std::string frame = link::frameOf(link::bytesNamed(name, payload));
        link->send(link::runOf(frame));
        link->flush();
    }
    bool held(std::string_view name, std::string_view payload) const {
        const std::string frame = link::frameOf(link::bytesNamed(name, payload));
        return link->holdsSenders(link::runOf(frame));
    }
    /// One counter of `stats`, as a JSON pointer.
    nlohmann::json stat(const std::string& pointer) const {
        return link->stats().at(nlohmann::json::json_pointer(pointer));
    }
    bool hears(const std::string& host) const {
        for (const auto& one : stat("/hosts")) {
            if (one.at("name") == host && one.at("online") == true) return true;
        }
        return false;
    }

    Inbox inbox;
    std::unique_ptr<Link> link;
};

inline config::LinkSettings onLoopback(std::uint16_t port) {
    config::LinkSettings settings;
    settings.addr = testGroup;
    settings.port = port;
    settings.netInterface = "127.0.0.1";
    settings.heartbeat = std::chrono::milliseconds(50);
    return settings;
}

inline config::LinkSettings peersAlone(std::uint16_t port, std::uint16_t peer) {
    config::LinkSettings settings = onLoopback(port);
    settings.addr.clear();
    settings.peers = {"127.0.0.1:" + std::to_string(peer)};
    return settings;
}

/// A host on the way: passes every datagram it gets on to `to`, but for those `drop` chooses.
class Forwarder {
  public:
    Forwarder(boost::asio::io_context& io, std::uint16_t port, Udp::endpoint to)
        : socket_(io, Udp::endpoint(boost::asio::ip::address_v4::loopback(), port)),
          to_(std::move(to)) {
        socket_.set_option(boost::asio::ip::multicast::outbound_interface(
            boost::asio::ip::address_v4::loopback()));
        socket_.set_option(Udp::socket::receive_buffer_size(4 << 20));
        receive();
    }

    std::function<bool(std::string_view)> drop = [](std::string_view) { return false; };

  private:
    // A read that succeeded may be told of after our end, where the system hands over what is done
    // (Windows).
    void receive() {
        socket_.async_receive(boost::asio::buffer(buffer_.get(), roomForOne),
                              [this, buffer = buffer_, alive = std::weak_ptr<bool>(alive_)](
                                  const auto& error, std::size_t size) {
                                  if (error || alive.expired()) return;
                                  const std::string_view datagram(buffer.get(), size);
                                  if (!drop(datagram))
                                      socket_.send_to(boost::asio::buffer(datagram), to_);
                                  receive();
                              });
    }

    static constexpr std::size_t roomForOne = 2048;
    std::shared_ptr<char[]> buffer_ = std::make_shared<char[]>(roomForOne);
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    Udp::socket socket_;
    Udp::endpoint to_;
};

}  // namespace netcluster::daemon
