// Another daemon without its sockets, and a receiver that hears it by a clock of the test's.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "link_testing.hpp"
#include "packer.hpp"
#include "receiver.hpp"

namespace netcluster::daemon::link {

using namespace std::chrono_literals;

// Another daemon, up to the point where its datagrams would leave.
struct Host {
    Host(std::uint8_t id, std::string hostName, std::size_t maxEvent = 65536)
        : session(uuidOf(id)), name(hostName), packer(session, hostName, maxEvent, queue) {}

    std::vector<std::string> emit(const wire::EventView& event) {
        packer.add(event);
        return out();
    }
    std::vector<std::string> out() {
        std::vector<std::string> datagrams;
        packer.close();
        for (; !queue.empty(); queue.pop()) {
            stampPacket(queue.front().datagram, ++packet);
            sequence = queue.front().sequence;
            datagrams.push_back(queue.front().datagram);
        }
        return datagrams;
    }
    std::string begin(Type type) {
        std::string datagram;
        appendHeader(datagram, {type, session, ++packet});
        return datagram;
    }
    std::string heartbeat() {
        std::string datagram = begin(Type::heartbeat);
        appendHeartbeat(datagram, {sequence, 5000, uuidOf(0xEE), name, "2.0"});
        return datagram;
    }
    std::string end() {
        std::string datagram = begin(Type::end);
        appendEnd(datagram, sequence);
        return datagram;
    }

    wire::Uuid session;
    std::string name;
    DatagramQueue queue{std::size_t{8} << 20};
    Packer packer;
    std::uint64_t packet = 0;
    std::uint64_t sequence = 0;
};

struct Hearing {
    void hear(const std::string& datagram) {
        Header header;
        REQUIRE(readHeader(datagram, header) == Bad::none);
        receiver.onDatagram(now, header, std::string_view(datagram).substr(headerSize),
                            somewhere());
    }
    void hear(const std::vector<std::string>& datagrams) {
        for (const std::string& datagram : datagrams) hear(datagram);
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        receiver.expireHoles(now);
        receiver.expireSilent(now);
    }

    Witness witness;
    Receiver receiver{65536, 1000ms, witness};
    Time now{1h};
    Host alpha{1, "alpha"};
    Host beta{2, "beta"};
};

}  // namespace netcluster::daemon::link
