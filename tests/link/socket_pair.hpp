// Two sockets of the link on this host's loopback interface, one of which sends to the other.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "socket_testing.hpp"
#include "udp_socket.hpp"

namespace netcluster::daemon {

struct Sockets {
    explicit Sockets(link::Batching most) : from(io, most), to(io, most) {
        from.openUnicast({boost::asio::ip::udp::v4(), testPort(2)});
        to.openUnicast({boost::asio::ip::udp::v4(), testPort(3)});
    }
    void send(const std::vector<std::string>& datagrams) {
        std::string bytes;
        for (const std::string& one : datagrams) bytes += one;
        const link::Batch batch(bytes, datagrams.front().size());
        REQUIRE(batch.count() == datagrams.size());
        for (std::size_t done = 0; done < datagrams.size();) {
            std::size_t sent = 0;
            boost::system::error_code error;
            REQUIRE(from.send(batch.rest(done),
                              {boost::asio::ip::make_address("127.0.0.1"), testPort(3)}, sent,
                              error) == link::Sent::yes);
            done += sent;
        }
    }
    /// Everything that has arrived, which on this host is what was sent.
    std::vector<std::string> received() {
        std::vector<std::string> all;
        link::ReceiveBatch batch;
        boost::system::error_code error;
        while (const std::size_t count = batch.receive(to, error)) {
            for (std::size_t i = 0; i < count; ++i) {
                CHECK_FALSE(batch.truncated(i));
                CHECK(batch.from(i).port() == testPort(2));
                const std::span<char> piece = batch.piece(i);
                std::string_view rest(piece.data(), piece.size());
                for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), batch.stride(i)))) {
                    all.emplace_back(rest.substr(0, batch.stride(i)));
                }
            }
        }
        CHECK_FALSE(error);
        return all;
    }

    boost::asio::io_context io;
    link::UdpSocket from;
    link::UdpSocket to;
};

}  // namespace netcluster::daemon
