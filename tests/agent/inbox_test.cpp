#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "inbox.hpp"

using namespace netcluster;

namespace {

void feed(Inbox& inbox, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> room = inbox.room();
        const std::size_t count = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), count);
        inbox.filled(count);
        bytes.remove_prefix(count);
    }
}

// The tokens of all synced frames that are there; -1 for malformed.
std::vector<int> tokens(Inbox& inbox) {
    std::vector<int> found;
    wire::FrameView frame;
    for (;;) {
        switch (inbox.next(frame)) {
            case Inbox::Next::frame:
                found.push_back(static_cast<int>(wire::readSync(frame).value_or(0)));
                break;
            case Inbox::Next::nothing:
                return found;
            case Inbox::Next::malformed:
                found.push_back(-1);
                return found;
        }
    }
}

std::string synced(std::uint64_t token) {
    std::string bytes;
    wire::appendSync(bytes, wire::FrameType::synced, token);
    return bytes;
}

const std::string packets = std::string("{\"event\":\"a\",\"data\":{}}") + '\0' + "{}" + '\0';

}  // namespace

TEST_CASE("packets before the preface are skipped, wherever the stream is cut") {
    const std::string stream = packets + std::string(wire::preface) + synced(1) + synced(2);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Inbox inbox;
        feed(inbox, stream.substr(0, cut));
        std::vector<int> found = tokens(inbox);
        feed(inbox, stream.substr(cut));
        for (const int token : tokens(inbox)) found.push_back(token);
        CHECK(found == std::vector<int>{1, 2});
    }
}

TEST_CASE("one byte at a time is the same stream") {
    const std::string stream = packets + std::string(wire::preface) + synced(1) + synced(2);
    Inbox inbox;
    std::vector<int> found;
    for (const char byte : stream) {
        feed(inbox, {&byte, 1});
        for (const int token : tokens(inbox)) found.push_back(token);
    }
    CHECK(found == std::vector<int>{1, 2});
}

TEST_CASE("what is neither packet nor preface is malformed") {
    for (const std::string_view bytes : {"hello", "\x89NX\n", "[1]"}) {
        Inbox inbox;
        feed(inbox, bytes);
        CHECK(tokens(inbox) == std::vector<int>{-1});
    }
    Inbox inbox;
    feed(inbox, std::string(wire::preface) + std::string(8, '\xff'));
    CHECK(tokens(inbox) == std::vector<int>{-1});
}

TEST_CASE("a packet of any length is skipped without being kept") {
    Inbox inbox;
    feed(inbox, "{\"event\":\"a\",\"data\":\"");
    CHECK(tokens(inbox).empty());
    for (int i = 0; i < 200; ++i) {
        feed(inbox, std::string(100000, 'x'));
        CHECK(tokens(inbox).empty());
    }
    CHECK(inbox.room().size() <= Inbox::keptRoom);
    feed(inbox, std::string("\"}") + '\0' + std::string(wire::preface) + synced(3));
    CHECK(tokens(inbox) == std::vector<int>{3});
}

TEST_CASE("events are taken up to what the welcome allows") {
    wire::EventView event;
    event.name = "a";
    event.channel = "A";
    const std::string data(3 << 20, ' ');
    event.payload = data;
    std::string frame;
    wire::appendEvent(frame, event);

    Inbox inbox;
    feed(inbox, std::string(wire::preface));
    inbox.setMaxEvent(data.size());
    feed(inbox, frame + synced(9));
    wire::FrameView read;
    REQUIRE(inbox.next(read) == Inbox::Next::frame);
    CHECK(wire::readEvent(read)->payload.size() == data.size());
    CHECK(tokens(inbox) == std::vector<int>{9});
    CHECK(inbox.room().size() <= Inbox::keptRoom);

    Inbox small;
    feed(small, std::string(wire::preface));
    small.setMaxEvent(1000);
    feed(small, frame.substr(0, 100));
    CHECK(tokens(small) == std::vector<int>{-1});
}
