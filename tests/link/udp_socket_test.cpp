#include "udp_socket.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "socket_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon;
using boost::asio::ip::make_address;
using link::patterned;

namespace {

struct Sockets {
    explicit Sockets(link::Batching most) : from(io, most), to(io, most) {
        from.openUnicast(false, testPort(2));
        to.openUnicast(false, testPort(3));
    }
    void send(const std::vector<std::string>& datagrams) {
        std::string bytes;
        for (const std::string& one : datagrams) bytes += one;
        const link::Batch batch(bytes, datagrams.front().size());
        REQUIRE(batch.count() == datagrams.size());
        for (std::size_t done = 0; done < datagrams.size();) {
            std::size_t sent = 0;
            boost::system::error_code error;
            REQUIRE(from.send(batch.rest(done), {make_address("127.0.0.1"), testPort(3)}, sent,
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

std::vector<std::string> manyOf(std::size_t count, std::size_t size, std::size_t last) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(patterned(i + 1 == count ? last : size));
        all.back()[0] = static_cast<char>(i);
    }
    return all;
}

}  // namespace

TEST_CASE("a batch arrives as the datagrams that it was, however it is sent") {
    for (const auto way :
         {link::Batching::single, link::Batching::many, link::Batching::segments}) {
        CAPTURE(link::batchingName(way));
        Sockets sockets(way);
        for (const auto& batch : {manyOf(48, 1232, 1232), manyOf(48, 1232, 1), manyOf(1, 700, 700),
                                  manyOf(2, 100, 99)}) {
            sockets.send(batch);
            CHECK(sockets.received() == batch);
        }
        CHECK(sockets.from.batching() <= way);
    }
}

TEST_CASE("what the system will not cut goes out another way, and does so from then on") {
    Sockets sockets(link::Batching::segments);
    sockets.send(manyOf(2, 100, 100));
    CHECK(sockets.received().size() == 2);
    if (sockets.from.batching() != link::Batching::segments) {
        MESSAGE("skipped: this system cuts no segments");
        return;
    }
    // More segments than any system takes at once.
    const auto batch = manyOf(600, 40, 40);
    sockets.send(batch);
    CHECK(sockets.received() == batch);
    CHECK(sockets.from.batching() == link::Batching::many);
    sockets.send(batch);
    CHECK(sockets.received() == batch);
}

TEST_CASE("a socket does not hear the session it ignores, and hears every other") {
    Sockets sockets(link::Batching::segments);
    wire::Uuid session;
    for (std::size_t i = 0; i < session.size(); ++i)
        session[i] = static_cast<std::uint8_t>(200 + i);
    sockets.to.ignoreSession(session);
    std::vector<std::string> others;
    const auto say = [&](const wire::Uuid& who) {
        std::string datagram;
        link::appendHeader(datagram, {link::Type::end, 0, who, 1});
        sockets.send({datagram});
        return datagram;
    };
    say(session);
    for (std::size_t i = 0; i < session.size(); ++i) {
        wire::Uuid other = session;
        other[i] ^= 0x80;
        others.push_back(say(other));
        say(session);
    }
    CHECK(sockets.received() == others);
}
