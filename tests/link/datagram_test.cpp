#include "datagram.hpp"

#include <doctest/doctest.h>

#include "link_testing.hpp"
#include "message.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::string_view_literals;

namespace {

std::string headerOf(Type type, std::uint64_t packet = 0x0102030405060708) {
    Header header;
    header.type = type;
    for (std::size_t i = 0; i < header.session.size(); ++i) {
        header.session[i] = static_cast<std::uint8_t>(0xA0 + i);
    }
    header.packet = packet;
    std::string bytes;
    appendHeader(bytes, header);
    return bytes;
}

// A good header with one byte changed.
Bad verdictWith(std::size_t offset, char byte) {
    std::string bytes = headerOf(Type::data);
    bytes[offset] = byte;
    Header header;
    return readHeader(bytes, header);
}

constexpr std::string_view goldenHeader =
    "NC\x01\x01\0\0\0\0"
    "\xA0\xA1\xA2\xA3\xA4\xA5\xA6\xA7\xA8\xA9\xAA\xAB\xAC\xAD\xAE\xAF"
    "\x08\x07\x06\x05\x04\x03\x02\x01"sv;

}  // namespace

TEST_CASE("the header has the bytes of the protocol page") {
    const std::string bytes = headerOf(Type::data);
    CHECK(bytes == goldenHeader);
    CHECK(bytes.size() == headerSize);

    Header header;
    CHECK(readHeader(bytes, header) == Bad::none);
    CHECK(header.type == Type::data);
    CHECK(header.packet == 0x0102030405060708);
    CHECK(header.session[15] == 0xAF);
}

TEST_CASE("a DATA body with a packed event has the bytes of the protocol page") {
    std::string body;
    appendDataHead(body, 258, "alpha", Form::events);
    CHECK(body ==
          "\x02\x01\0\0\0\0\0\0\x05"
          "alpha\x01"sv);
    CHECK(body.size() == dataHeadSize("alpha"));

    appendMessage(body, eventNamed("hello", "1"));
    CHECK(body.substr(15) ==
          "\x1f\0\0\0\x03\0\x05\x01"
          "\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07"
          "\0\0\0\0"
          "helloA1"sv);

    Data data;
    CHECK(readData(body, data) == Bad::none);
    CHECK(data.sequence == 258);
    CHECK(data.host == "alpha");
    CHECK(data.form == Form::events);
    CHECK(data.content.size() == 35);
}

TEST_CASE("a fragment and a note on dropped events have the bytes of the protocol page") {
    std::string content;
    appendFragmentHead(content, {0x04030201, 5, 6, {}});
    CHECK(content == "\x01\x02\x03\x04\x05\0\0\0\x06\0\0\0"sv);
    CHECK(content.size() == fragmentHeadSize);

    content += "x";
    Fragment fragment;
    CHECK(readFragment(content, fragment) == Bad::none);
    CHECK(fragment.size == 0x04030201);
    CHECK(fragment.index == 5);
    CHECK(fragment.count == 6);
    CHECK(fragment.bytes == "x");

    std::string note;
    appendDropped(note, 300);
    CHECK(note == "\x2c\x01\0\0"sv);
    std::uint32_t events = 0;
    CHECK(readDropped(note, events) == Bad::none);
    CHECK(events == 300);
}

TEST_CASE("a heartbeat says who, how long and how far, and may say more in a later version") {
    std::string body;
    appendHeartbeat(body, {9, 1000, uuidOf(0x11), "beta", "2.0"});
    CHECK(body ==
          "\x09\0\0\0\0\0\0\0\xe8\x03\0\0\0\0\0\0"
          "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
          "\x04"
          "beta\x03"
          "2.0"sv);
    body += "of a later version";
    Heartbeat heartbeat;
    CHECK(readHeartbeat(body, heartbeat) == Bad::none);
    CHECK(heartbeat.highest == 9);
    CHECK(heartbeat.uptime == 1000);
    CHECK(heartbeat.host == uuidOf(0x11));
    CHECK(heartbeat.name == "beta");
    CHECK(heartbeat.version == "2.0");
}

TEST_CASE("an END says how far it got") {
    std::string body;
    appendEnd(body, 77);
    CHECK(body == "\x4d\0\0\0\0\0\0\0"sv);
    std::uint64_t highest = 0;
    CHECK(readEnd(body, highest) == Bad::none);
    CHECK(highest == 77);
    CHECK(readEnd(body.substr(1), highest) == Bad::body);
}

TEST_CASE("the packet number is written where it stands in the header") {
    std::string bytes = headerOf(Type::end, 1);
    stampPacket(bytes, 0x42);
    Header header;
    CHECK(readHeader(bytes, header) == Bad::none);
    CHECK(header.packet == 0x42);
}

TEST_CASE("each header that is not ours is refused by name") {
    Header header;
    CHECK(readHeader("", header) == Bad::tooShort);
    CHECK(readHeader(goldenHeader.substr(0, 1), header) == Bad::tooShort);
    CHECK(readHeader(goldenHeader.substr(0, 31), header) == Bad::tooShort);
    CHECK(readHeader(std::string(65507, '\0'), header) == Bad::foreign);
    CHECK(verdictWith(0, 'X') == Bad::foreign);
    CHECK(verdictWith(2, 2) == Bad::version);
    CHECK(verdictWith(3, 0) == Bad::type);
    CHECK(verdictWith(3, 3) == Bad::type);
    CHECK(verdictWith(3, '\xFF') == Bad::type);
    CHECK(verdictWith(4, 1) == Bad::encrypted);
    CHECK(verdictWith(6, 1) == Bad::flags);
    CHECK(verdictWith(7, 1) == Bad::flags);
    CHECK(verdictWith(31, '\x80') == Bad::number);
    CHECK(readHeader(headerOf(Type::data, 0), header) == Bad::number);
    CHECK(readHeader(headerOf(Type::data, ~std::uint64_t{0}), header) == Bad::number);
}

TEST_CASE("every prefix of a body is refused or whole, and never overrun") {
    std::string data;
    appendDataHead(data, 1, "alpha", Form::fragment);
    appendFragmentHead(data, {10, 0, 2, {}});
    data += "bytes";
    std::string heartbeat;
    appendHeartbeat(heartbeat, {1, 1, uuidOf(1), "alpha", "2"});
    for (std::size_t length = 0; length < data.size(); ++length) {
        Data read;
        // A copy of its own, so that an overrun is one for the sanitizer as well.
        const std::string cut = data.substr(0, length);
        const Bad bad = readData(cut, read);
        CHECK((bad == Bad::none) == (length >= dataHeadSize("alpha")));
        if (bad != Bad::none) continue;
        Fragment fragment;
        CHECK((readFragment(read.content, fragment) == Bad::none) ==
              (read.content.size() > fragmentHeadSize));
    }
    for (std::size_t length = 0; length < heartbeat.size(); ++length) {
        Heartbeat read;
        CHECK(readHeartbeat(heartbeat.substr(0, length), read) == Bad::body);
    }
}

TEST_CASE("bodies with impossible values are refused by name") {
    const auto dataVerdict = [](std::uint64_t sequence, std::string_view host, int form) {
        std::string body;
        appendDataHead(body, sequence, host, static_cast<Form>(form));
        Data data;
        return readData(body, data);
    };
    CHECK(dataVerdict(1, "alpha", 1) == Bad::none);
    CHECK(dataVerdict(0, "alpha", 1) == Bad::number);
    CHECK(dataVerdict(numberLimit, "alpha", 1) == Bad::number);
    CHECK(dataVerdict(~std::uint64_t{0}, "alpha", 1) == Bad::number);
    CHECK(dataVerdict(1, "", 1) == Bad::hostName);
    CHECK(dataVerdict(1, "new\nline", 1) == Bad::hostName);
    CHECK(dataVerdict(1, "\xC0\xAF", 1) == Bad::hostName);
    CHECK(dataVerdict(1, std::string(65, 'x'), 1) == Bad::hostName);
    CHECK(dataVerdict(1, "alpha", 0) == Bad::body);
    CHECK(dataVerdict(1, "alpha", 4) == Bad::body);

    const auto fragmentVerdict = [](Fragment fragment, std::string_view bytes) {
        std::string content;
        appendFragmentHead(content, fragment);
        content += bytes;
        Fragment read;
        return readFragment(content, read);
    };
    CHECK(fragmentVerdict({2, 0, 2, {}}, "x") == Bad::none);
    CHECK(fragmentVerdict({2, 2, 2, {}}, "x") == Bad::fragment);
    CHECK(fragmentVerdict({2, 0xFFFFFFFF, 2, {}}, "x") == Bad::fragment);
    CHECK(fragmentVerdict({2, 0, 0, {}}, "x") == Bad::fragment);
    CHECK(fragmentVerdict({2, 0, 3, {}}, "x") == Bad::fragment);
    CHECK(fragmentVerdict({0, 0, 0, {}}, "x") == Bad::fragment);
    CHECK(fragmentVerdict({2, 0, 2, {}}, "") == Bad::fragment);

    std::uint32_t events = 0;
    CHECK(readDropped("\0\0\0\0"sv, events) == Bad::body);
}
