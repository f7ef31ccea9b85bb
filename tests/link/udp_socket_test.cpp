#include "udp_socket.hpp"

#include <doctest/doctest.h>

#include "socket_pair.hpp"

using namespace netcluster;
using namespace netcluster::daemon;
using link::patterned;

namespace {

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

TEST_CASE("what a socket has waited for is read, and while it is not, a wait ends again") {
    Sockets sockets(link::Batching::single);
    int ended = 0;
    const auto await = [&] {
        sockets.to.awaitReadable([&](const boost::system::error_code& error) {
            CHECK_FALSE(error);
            ++ended;
        });
        sockets.io.restart();
        sockets.io.run_for(std::chrono::seconds(10));
    };
    const auto all = manyOf(3, 500, 20);
    for (const std::string& one : all) sockets.send({one});
    await();
    CHECK(ended == 1);
    await();
    CHECK(ended == 2);
    CHECK(sockets.received() == all);

    sockets.send({all.front()});
    await();
    CHECK(ended == 3);
    CHECK(sockets.received() == std::vector{all.front()});
}

TEST_CASE("a wait ends with an error when the socket is closed") {
    Sockets sockets(link::Batching::single);
    bool told = false;
    sockets.to.awaitReadable([&](const boost::system::error_code& error) { told = !!error; });
    sockets.io.poll();
    CHECK_FALSE(told);
    sockets.to.close();
    sockets.io.restart();
    sockets.io.run_for(std::chrono::seconds(10));
    CHECK(told);
}
