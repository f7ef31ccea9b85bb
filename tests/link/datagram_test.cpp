#include "datagram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "link_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string headerOf(Type type, std::uint64_t packet = 0x0102030405060708) {
    Header header;
    header.type = type;
    header.keyId = 0x0B0A;
    for (std::size_t i = 0; i < header.session.size(); ++i) {
        header.session[i] = static_cast<std::uint8_t>(0xA0 + i);
    }
    header.packet = packet;
    std::string bytes;
    appendHeader(bytes, header);
    return bytes;
}

// The header that all the datagrams drawn here begin with.
std::string drawn(std::string_view type, std::string_view body) {
    std::string bytes("NC\x02", 3);
    bytes += type;
    bytes +=
        "\x0A\x0B\0\0"
        "\xA0\xA1\xA2\xA3\xA4\xA5\xA6\xA7\xA8\xA9\xAA\xAB\xAC\xAD\xAE\xAF"
        "\x08\x07\x06\x05\x04\x03\x02\x01"sv;
    return bytes += body;
}

// A good header with one byte changed.
Bad verdictWith(std::size_t offset, char byte) {
    std::string bytes = headerOf(Type::data);
    bytes[offset] = byte;
    Header header;
    return readHeader(bytes, header);
}

constexpr std::string_view sixteen1 =
    "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"sv;
constexpr std::string_view sixteen2 =
    "\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22"sv;

Heartbeat someHeartbeat() {
    Heartbeat heartbeat;
    heartbeat.highest = 9;
    heartbeat.oldest = 3;
    heartbeat.uptime = 1000;
    heartbeat.host = uuidOf(0x11);
    heartbeat.wantsStatus = true;
    heartbeat.name = "beta";
    heartbeat.version = "2.0";
    heartbeat.clock = 0x0102;
    heartbeat.load = 150;
    heartbeat.cpus = 4;
    heartbeat.memoryTotal = 0x0304;
    heartbeat.memoryAvailable = 0x0506;
    heartbeat.rss = 0x0708;
    heartbeat.clients = 5;
    heartbeat.heard = {0x1122334455667788, 1};
    heartbeat.channels = {"A", "main"};
    return heartbeat;
}

// One body of each type, and how it is read.
struct Kind {
    std::string name;
    std::string body;
    std::size_t shortest;  ///< what every longer beginning is good for as well
    std::function<Bad(std::string_view)> read;
};

std::vector<Kind> kinds() {
    std::vector<Kind> all;
    std::string body;
    const auto add = [&](const char* name, std::size_t shortest, auto read) {
        all.push_back({name, std::exchange(body, {}), shortest, read});
    };
    appendDataHead(body, 1, "alpha");
    body += "content";
    add("DATA", dataHeadSize("alpha") + 1, [](std::string_view bytes) {
        Data data;
        const Bad bad = readData(bytes, data);
        if (bad != Bad::none) return bad;
        CHECK(data.content.data() + data.content.size() == bytes.data() + bytes.size());
        CHECK((data.start == noStart || data.start < data.content.size()));
        return bad;
    });
    appendHeartbeat(body, someHeartbeat());
    add("HEARTBEAT", body.size(), [](std::string_view bytes) {
        Heartbeat heartbeat;
        const Bad bad = readHeartbeat(bytes, heartbeat);
        if (bad == Bad::none) CHECK(heartbeat.oldest <= heartbeat.highest + 1);
        return bad;
    });
    appendNak(body, uuidOf(1), {{1, 2}, {5, 5}});
    add("NAK", body.size(), [](std::string_view bytes) {
        Nak nak;
        const Bad bad = readNak(bytes, nak);
        if (bad != Bad::none) return bad;
        for (const Range& range : nak.ranges) CHECK(range.first <= range.last);
        return bad;
    });
    appendStatus(body, {{uuidOf(1), 2, 3}, {uuidOf(2), 4, 5}});
    add("STATUS", body.size(), [](std::string_view bytes) {
        std::vector<Status> statuses;
        return readStatus(bytes, statuses);
    });
    appendChallenge(body, {uuidOf(1), {}});
    add("CHALLENGE", body.size(), [](std::string_view bytes) {
        Challenge challenge;
        return readChallenge(bytes, challenge);
    });
    appendProof(body, {Nonce{1}, Nonce{2}});
    add("PROOF", body.size(), [](std::string_view bytes) {
        std::vector<Nonce> nonces;
        return readProof(bytes, nonces);
    });
    appendEnd(body, 7);
    add("END", body.size(), [](std::string_view bytes) {
        std::uint64_t highest = 0;
        return readEnd(bytes, highest);
    });
    appendProbe(body, 7, 64);
    add("PROBE", 8, [](std::string_view bytes) {
        Probe probe;
        return readProbe(bytes, probe);
    });
    appendEcho(body, {7, uuidOf(1), 8}, 64);
    add("ECHO", 32, [](std::string_view bytes) {
        Probe probe;
        return readEcho(bytes, probe);
    });
    return all;
}

}  // namespace

TEST_CASE("a DATA datagram, byte by byte") {
    std::string datagram = headerOf(Type::data);
    CHECK(datagram.size() == headerSize);
    appendDataHead(datagram, 258, "alpha");
    CHECK(datagram.size() == headerSize + dataHeadSize("alpha"));
    // Two bytes of a message that began before, then a whole one.
    datagram[datagram.size() - 2] = 2;
    datagram[datagram.size() - 1] = 0;
    datagram += "\xEE\xFF";
    wire::appendEvent(datagram, eventNamed("hello", "1"));
    CHECK(datagram == drawn("\x01",
                            "\x02\x01\0\0\0\0\0\0"
                            "\x05"
                            "alpha"
                            "\x02\0"
                            "\xEE\xFF"
                            "\x1f\0\0\0\x03\0\x05\x01"
                            "\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07"
                            "\0\0\0\0"
                            "helloA1"sv));

    Header header;
    REQUIRE(readHeader(datagram, header) == Bad::none);
    CHECK(header.type == Type::data);
    CHECK(header.keyId == 0x0B0A);
    CHECK(header.session[0] == 0xA0);
    CHECK(header.session[15] == 0xAF);
    CHECK(header.packet == 0x0102030405060708);
    Data data;
    REQUIRE(readData(std::string_view(datagram).substr(headerSize), data) == Bad::none);
    CHECK(data.sequence == 258);
    CHECK(data.host == "alpha");
    CHECK(data.start == 2);
    CHECK(data.content.size() == 37);
}

TEST_CASE("a HEARTBEAT datagram, byte by byte, and a later version may say more") {
    std::string datagram = headerOf(Type::heartbeat);
    appendHeartbeat(datagram, someHeartbeat());
    CHECK(datagram == drawn("\x02",
                            "\x09\0\0\0\0\0\0\0"
                            "\x03\0\0\0\0\0\0\0"
                            "\xe8\x03\0\0\0\0\0\0"
                            "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
                            "\x01"
                            "\x04"
                            "beta"
                            "\x03"
                            "2.0"
                            "\x02\x01\0\0\0\0\0\0"
                            "\x96\0\0\0"
                            "\x04\0\0\0"
                            "\x04\x03\0\0\0\0\0\0"
                            "\x06\x05\0\0\0\0\0\0"
                            "\x08\x07\0\0\0\0\0\0"
                            "\x05\0\0\0"
                            "\x02"
                            "\x88\x77\x66\x55\x44\x33\x22\x11"
                            "\x01\0\0\0\0\0\0\0"
                            "\x02"
                            "\x01"
                            "A"
                            "\x04"
                            "main"sv));
    datagram += "of a later version";
    Heartbeat heartbeat;
    REQUIRE(readHeartbeat(std::string_view(datagram).substr(headerSize), heartbeat) == Bad::none);
    CHECK(heartbeat.highest == 9);
    CHECK(heartbeat.oldest == 3);
    CHECK(heartbeat.uptime == 1000);
    CHECK(heartbeat.host == uuidOf(0x11));
    CHECK(heartbeat.wantsStatus);
    CHECK(heartbeat.name == "beta");
    CHECK(heartbeat.version == "2.0");
    CHECK(heartbeat.clock == 0x0102);
    CHECK(heartbeat.load == 150);
    CHECK(heartbeat.cpus == 4);
    CHECK(heartbeat.memoryTotal == 0x0304);
    CHECK(heartbeat.memoryAvailable == 0x0506);
    CHECK(heartbeat.rss == 0x0708);
    CHECK(heartbeat.clients == 5);
    CHECK(heartbeat.heard == std::vector<std::uint64_t>{0x1122334455667788, 1});
    CHECK(heartbeat.channels == std::vector<std::string_view>{"A", "main"});
}

TEST_CASE("a NAK datagram, byte by byte") {
    std::string datagram = headerOf(Type::nak);
    appendNak(datagram, uuidOf(0x11), {{258, 258}, {300, 599}});
    CHECK(datagram == drawn("\x03", std::string(sixteen1) + "\x02"
                                                            "\x02\x01\0\0\0\0\0\0"
                                                            "\0\0\0\0"
                                                            "\x2c\x01\0\0\0\0\0\0"
                                                            "\x2b\x01\0\0"s));
    Nak nak;
    REQUIRE(readNak(std::string_view(datagram).substr(headerSize), nak) == Bad::none);
    CHECK(nak.target == uuidOf(0x11));
    CHECK(nak.ranges == std::vector<Range>{{258, 258}, {300, 599}});
}

TEST_CASE("a STATUS datagram, byte by byte") {
    std::string datagram = headerOf(Type::status);
    appendStatus(datagram, {{uuidOf(0x11), 258, 92}, {uuidOf(0x22), 1, 4096}});
    CHECK(datagram == drawn("\x04", "\x02" + std::string(sixteen1) +
                                        "\x02\x01\0\0\0\0\0\0"
                                        "\x5c\0\0\0"s +
                                        std::string(sixteen2) +
                                        "\x01\0\0\0\0\0\0\0"
                                        "\0\x10\0\0"s));
    std::vector<Status> statuses;
    REQUIRE(readStatus(std::string_view(datagram).substr(headerSize), statuses) == Bad::none);
    CHECK(statuses == std::vector<Status>{{uuidOf(0x11), 258, 92}, {uuidOf(0x22), 1, 4096}});
}

TEST_CASE("a CHALLENGE and its PROOF, byte by byte") {
    Nonce nonce;
    nonce.fill(0x22);
    std::string question = headerOf(Type::challenge);
    appendChallenge(question, {uuidOf(0x11), nonce});
    CHECK(question == drawn("\x05", std::string(sixteen1) + std::string(sixteen2)));
    Challenge challenge;
    REQUIRE(readChallenge(std::string_view(question).substr(headerSize), challenge) == Bad::none);
    CHECK(challenge.target == uuidOf(0x11));
    CHECK(challenge.nonce == nonce);

    std::string answer = headerOf(Type::proof);
    appendProof(answer, {nonce});
    CHECK(answer == drawn("\x06", "\x01" + std::string(sixteen2)));
    std::vector<Nonce> nonces;
    REQUIRE(readProof(std::string_view(answer).substr(headerSize), nonces) == Bad::none);
    CHECK(nonces == std::vector<Nonce>{nonce});
}

TEST_CASE("an END datagram, byte by byte") {
    std::string datagram = headerOf(Type::end);
    appendEnd(datagram, 77);
    CHECK(datagram == drawn("\x07", "\x4d\0\0\0\0\0\0\0"sv));
    std::uint64_t highest = 0;
    REQUIRE(readEnd(std::string_view(datagram).substr(headerSize), highest) == Bad::none);
    CHECK(highest == 77);
}

TEST_CASE("a PROBE and its ECHO, byte by byte, of the size that is asked for") {
    std::string question = headerOf(Type::probe);
    appendProbe(question, 258, 12);
    CHECK(question == drawn("\x08", "\x02\x01\0\0\0\0\0\0\0\0\0\0"sv));
    Probe probe;
    REQUIRE(readProbe(std::string_view(question).substr(headerSize), probe) == Bad::none);
    CHECK(probe.id == 258);

    std::string answer = headerOf(Type::echo);
    appendEcho(answer, {258, uuidOf(0x11), 9}, 34);
    CHECK(answer == drawn("\x09", "\x02\x01\0\0\0\0\0\0"s + std::string(sixteen1) +
                                      "\x09\0\0\0\0\0\0\0\0\0"s));
    Probe echo;
    REQUIRE(readEcho(std::string_view(answer).substr(headerSize), echo) == Bad::none);
    CHECK(echo.id == 258);
    CHECK(echo.target == uuidOf(0x11));
    CHECK(echo.clock == 9);

    // Never larger than a datagram, never smaller than what it says.
    for (const std::size_t size : {std::size_t{0}, bodyRoom, bodyRoom + 1, std::size_t{65536}}) {
        std::string large = headerOf(Type::echo);
        appendEcho(large, echo, size);
        CHECK(large.size() == headerSize + std::clamp<std::size_t>(size, 32, bodyRoom));
    }
}

TEST_CASE("each header that is not ours is refused by name") {
    const std::string good = headerOf(Type::data);
    Header header;
    CHECK(readHeader("", header) == Bad::tooShort);
    for (std::size_t length = 0; length < headerSize; ++length) {
        CHECK(readHeader(good.substr(0, length), header) == Bad::tooShort);
    }
    CHECK(readHeader(std::string(65507, '\0'), header) == Bad::foreign);
    CHECK(verdictWith(0, 'X') == Bad::foreign);
    CHECK(verdictWith(1, 'X') == Bad::foreign);
    CHECK(verdictWith(2, 1) == Bad::version);
    CHECK(verdictWith(2, 3) == Bad::version);
    CHECK(verdictWith(3, 0) == Bad::type);
    CHECK(verdictWith(3, 10) == Bad::type);
    CHECK(verdictWith(3, '\xFF') == Bad::type);
    CHECK(verdictWith(6, 1) == Bad::none);  // repeated
    CHECK(verdictWith(6, 2) == Bad::flags);
    CHECK(verdictWith(7, '\x80') == Bad::flags);
    CHECK(verdictWith(31, '\x80') == Bad::number);
    CHECK(readHeader(headerOf(Type::data, 0), header) == Bad::number);
    CHECK(readHeader(headerOf(Type::data, numberLimit), header) == Bad::number);
    CHECK(readHeader(headerOf(Type::data, numberLimit - 1), header) == Bad::none);
    for (int type = 1; type <= 9; ++type)
        CHECK(verdictWith(3, static_cast<char>(type)) == Bad::none);
}

TEST_CASE("every beginning of a body is refused or whole, and never overrun") {
    for (const Kind& kind : kinds()) {
        CAPTURE(kind.name);
        for (std::size_t length = 0; length <= kind.body.size(); ++length) {
            CAPTURE(length);
            // Memory of its own, so that an overrun is one for the sanitizer as well.
            const std::vector<char> cut(kind.body.begin(),
                                        kind.body.begin() + static_cast<std::ptrdiff_t>(length));
            const Bad bad = kind.read({cut.data(), cut.size()});
            if (length < kind.shortest) {
                CHECK(bad == Bad::body);
            } else {
                CHECK(bad == Bad::none);
            }
        }
    }
}

TEST_CASE("every byte may be anything") {
    for (const Kind& kind : kinds()) {
        CAPTURE(kind.name);
        for (std::size_t at = 0; at < kind.body.size(); ++at) {
            for (const int value : {0x00, 0x01, 0x02, 0x40, 0x7F, 0x80, 0xFE, 0xFF}) {
                std::vector<char> forged(kind.body.begin(), kind.body.end());
                forged[at] = static_cast<char>(value);
                (void)kind.read({forged.data(), forged.size()});
            }
        }
    }
}

TEST_CASE("DATA with impossible values is refused by name") {
    const auto verdict = [](std::uint64_t sequence, std::string_view host, std::uint16_t start,
                            std::string_view content = "content") {
        std::string body;
        appendDataHead(body, sequence, host);
        wire::storeLittle(body.data() + body.size() - 2, start);
        body += content;
        Data data;
        return readData(body, data);
    };
    CHECK(verdict(1, "alpha", 0) == Bad::none);
    CHECK(verdict(numberLimit - 1, "alpha", 6) == Bad::none);
    CHECK(verdict(1, "alpha", noStart) == Bad::none);
    CHECK(verdict(1, std::string(64, 'x'), 0) == Bad::none);
    CHECK(verdict(1, "alpha", 7) == Bad::body);
    CHECK(verdict(1, "alpha", 0xFFFE) == Bad::body);
    CHECK(verdict(1, "alpha", 0, "") == Bad::body);
    CHECK(verdict(1, "alpha", noStart, "") == Bad::body);
    CHECK(verdict(0, "alpha", 0) == Bad::number);
    CHECK(verdict(numberLimit, "alpha", 0) == Bad::number);
    CHECK(verdict(~std::uint64_t{0}, "alpha", 0) == Bad::number);
    CHECK(verdict(1, "", 0) == Bad::hostName);
    CHECK(verdict(1, "new\nline", 0) == Bad::hostName);
    CHECK(verdict(1, "\x7F", 0) == Bad::hostName);
    CHECK(verdict(1, "\xC0\xAF", 0) == Bad::hostName);
    CHECK(verdict(1, std::string(65, 'x'), 0) == Bad::hostName);
}

TEST_CASE("a HEARTBEAT with impossible values is refused by name") {
    const auto verdict = [](const std::function<void(Heartbeat&)>& change) {
        Heartbeat heartbeat = someHeartbeat();
        change(heartbeat);
        std::string body;
        appendHeartbeat(body, heartbeat);
        Heartbeat read;
        return readHeartbeat(body, read);
    };
    CHECK(verdict([](Heartbeat&) {}) == Bad::none);
    CHECK(verdict([](Heartbeat& one) { one.highest = 0, one.oldest = 1; }) == Bad::none);
    CHECK(verdict([](Heartbeat& one) { one.oldest = 10; }) == Bad::none);
    CHECK(verdict([](Heartbeat& one) { one.oldest = 11; }) == Bad::number);
    CHECK(verdict([](Heartbeat& one) { one.oldest = 0; }) == Bad::number);
    CHECK(verdict([](Heartbeat& one) { one.highest = numberLimit; }) == Bad::number);
    CHECK(verdict([](Heartbeat& one) { one.highest = ~std::uint64_t{0}; }) == Bad::number);
    CHECK(verdict([](Heartbeat& one) { one.name = ""; }) == Bad::hostName);
    CHECK(verdict([](Heartbeat& one) { one.name = "a\tb"; }) == Bad::hostName);
    CHECK(verdict([](Heartbeat& one) { one.version = "\xFF"; }) == Bad::body);
    CHECK(verdict([](Heartbeat& one) { one.channels = {"\x1B[2J"}; }) == Bad::body);
    const std::string longText(65, 'x');
    CHECK(verdict([&](Heartbeat& one) { one.name = longText; }) == Bad::hostName);
    CHECK(verdict([&](Heartbeat& one) { one.version = longText; }) == Bad::body);
}

TEST_CASE("lists that claim nothing or too much are refused, and numbers beyond the limit") {
    std::string nak(16, 'x');
    Nak readNaks;
    CHECK(readNak(nak + '\0', readNaks) == Bad::body);
    CHECK(readNak(nak + '\x41' + std::string(65 * 12, '\x01'), readNaks) == Bad::body);
    CHECK(readNak(nak + '\x40' + std::string(64 * 12, '\x01'), readNaks) == Bad::none);
    CHECK(readNaks.ranges.size() == 64);
    CHECK(readNak(nak + '\x01' + std::string(12, '\0'), readNaks) == Bad::number);
    CHECK(readNak(nak + '\x01' + std::string(12, '\xFF'), readNaks) == Bad::number);

    std::vector<Status> statuses;
    CHECK(readStatus("\0"sv, statuses) == Bad::body);
    CHECK(readStatus('\x29' + std::string(41 * 28, '\x01'), statuses) == Bad::body);
    CHECK(readStatus('\x28' + std::string(40 * 28, '\x01'), statuses) == Bad::none);
    CHECK(statuses.size() == maxStatuses);
    CHECK(readStatus('\x01' + std::string(28, '\xFF'), statuses) == Bad::number);

    std::vector<Nonce> nonces;
    CHECK(readProof("\0"sv, nonces) == Bad::body);
    CHECK(readProof('\x21' + std::string(33 * 16, 'x'), nonces) == Bad::body);
    CHECK(readProof('\x20' + std::string(32 * 16, 'x'), nonces) == Bad::none);
    CHECK(nonces.size() == maxProofs);

    std::uint64_t highest = 0;
    CHECK(readEnd(std::string(8, '\xFF'), highest) == Bad::number);
}

TEST_CASE("what is written never exceeds a datagram: lists are cut") {
    const auto sizeOf = [](auto append) {
        std::string datagram = headerOf(Type::data);
        append(datagram);
        CHECK(datagram.size() <= headerSize + bodyRoom);
        return datagram;
    };
    Heartbeat heartbeat = someHeartbeat();
    const std::string name(64, 'n');
    heartbeat.name = heartbeat.version = name;
    heartbeat.heard.assign(1000, 7);
    heartbeat.channels.assign(1000, name);
    std::string datagram = sizeOf([&](std::string& out) { appendHeartbeat(out, heartbeat); });
    Heartbeat read;
    REQUIRE(readHeartbeat(std::string_view(datagram).substr(headerSize), read) == Bad::none);
    CHECK(read.heard.size() == 64);
    CHECK(read.channels.size() > 1);
    CHECK(headerSize + bodyRoom - datagram.size() < 65);

    heartbeat.heard.clear();
    heartbeat.channels.assign(1000, "c");
    datagram = sizeOf([&](std::string& out) { appendHeartbeat(out, heartbeat); });
    REQUIRE(readHeartbeat(std::string_view(datagram).substr(headerSize), read) == Bad::none);
    CHECK(read.channels.size() == 255);

    datagram = sizeOf([](std::string& out) {
        appendNak(out, uuidOf(1), std::vector<Range>(1000, Range{1, 2}));
    });
    Nak nak;
    REQUIRE(readNak(std::string_view(datagram).substr(headerSize), nak) == Bad::none);
    CHECK(nak.ranges.size() == maxNakRanges);
    sizeOf([](std::string& out) { appendStatus(out, std::vector<Status>(1000)); });
    sizeOf([](std::string& out) { appendProof(out, std::vector<Nonce>(1000)); });
}

TEST_CASE("every reason has a name of its own and a meaning") {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < badReasons; ++i) {
        names.push_back(badName(static_cast<Bad>(i)));
        CHECK_FALSE(badMeaning(static_cast<Bad>(i)).empty());
    }
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
    CHECK(badName(Bad::forged) == "forged");
    CHECK(badName(Bad::afterEnd) == "afterend");
    CHECK(sessionPrefix(uuidOf(0x11)) == 0x1111111111111111);
}
