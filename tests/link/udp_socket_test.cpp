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
