#include "sealer.hpp"

#include <doctest/doctest.h>

#include <random>

#include "link_testing.hpp"

namespace netcluster::daemon::link {

std::ostream& operator<<(std::ostream& out, Opened opened) {
    constexpr std::string_view names[] = {"ok", "unknownKey", "forged", "notEncrypted",
                                          "encrypted"};
    return out << names[static_cast<std::size_t>(opened)];
}

}  // namespace netcluster::daemon::link

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

Secret filled(unsigned char filler) {
    Secret secret;
    std::fill_n(secret.data(), Secret::size, filler);
    return secret;
}

Keyring ringOf(std::initializer_list<std::uint16_t> ids) {
    Keyring ring;
    for (const std::uint16_t id : ids) ring.add(id, filled(static_cast<unsigned char>(id)));
    return ring;
}

/// One daemon's side of the link: what it would send, and what it makes of what it gets.
struct Side {
    Side(std::uint8_t filler, Keyring keys)
        : session(uuidOf(filler)), sealer(std::move(keys), session) {}

    std::string say(std::string_view body) {
        Header header;
        header.session = session;
        header.packet = ++packet;
        std::string datagram;
        appendHeader(datagram, header);
        datagram += body;
        if (!sealer.active()) return datagram;
        const std::size_t size = datagram.size();
        datagram.resize(size + tagSize);
        sealer.seal(datagram.data(), size);
        return datagram;
    }
    Opened hear(std::string datagram) { return sealer.open(datagram.data(), datagram.size()); }
    /// The body, or what is wrong.
    std::string read(std::string datagram) {
        const Opened opened = sealer.open(datagram.data(), datagram.size());
        if (opened != Opened::ok) return "refused";
        const std::size_t behind = sealer.active() ? tagSize : 0;
        return datagram.substr(headerSize, datagram.size() - headerSize - behind);
    }

    wire::Uuid session;
    Sealer sealer;
    std::uint64_t packet = 0;
};

std::string unhex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

}  // namespace

// Made with hashlib.blake2b(b"netcluster link 2" + session, key=key, digest_size=32) and OpenSSL's
// ChaCha20-Poly1305.
TEST_CASE("a sealed datagram has the bytes that another implementation gives it") {
    const std::string expected = unhex(
        "4e43010102010000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0807060504030201"
        "c71eb5c3409711770caf3d5cc9e424fd8260bcb921a2882d8c10bea3bf5b6e2d55e2b3b1e5e9997d017f38"
        "530a589466b5c0eda5af3ef028187daa");
    const std::string body = "the quick brown fox jumps over the lazy dog";
    Secret key;
    for (unsigned char i = 0; i < Secret::size; ++i) key.data()[i] = i;
    Keyring ring;
    ring.add(258, key);
    wire::Uuid session;
    for (std::uint8_t i = 0; i < 16; ++i) session[i] = static_cast<std::uint8_t>(0xA0 + i);

    std::string datagram = expected.substr(0, headerSize) + body;
    datagram[4] = datagram[5] = 0;  // the key id is the sealer's to write
    datagram.resize(expected.size());
    Sealer(ring, session).seal(datagram.data(), headerSize + body.size());
    CHECK(datagram == expected);

    Sealer receiver(ring, uuidOf(1));
    CHECK(receiver.open(datagram.data(), datagram.size()) == Opened::ok);
    CHECK(datagram.substr(headerSize, body.size()) == body);
}

TEST_CASE("bodies of every length come out as they went in") {
    Side alpha(1, ringOf({5}));
    Side beta(2, ringOf({5}));
    CHECK(alpha.sealer.keyId() == 5);
    for (std::size_t size = 0; size <= bodyRoom; ++size) {
        const std::string body = patterned(size);
        const std::string datagram = alpha.say(body);
        REQUIRE(datagram.size() == headerSize + size + tagSize);
        REQUIRE(beta.read(datagram) == body);
        if (size > 8) REQUIRE(datagram.find(body) == std::string::npos);
    }
}

TEST_CASE("each bit of a datagram counts, those of the clear header too") {
    Side alpha(1, ringOf({5, 7}));
    Side beta(2, ringOf({5, 7}));
    const std::string datagram = alpha.say("a body of some bytes");
    for (std::size_t bit = 0; bit < datagram.size() * 8; ++bit) {
        std::string changed = datagram;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
        REQUIRE(beta.hear(changed) != Opened::ok);
    }
    CHECK(beta.hear(datagram) == Opened::ok);
}

TEST_CASE("a datagram that is cut short, or longer than it was, is forged") {
    Side alpha(1, ringOf({5}));
    Side beta(2, ringOf({5}));
    const std::string datagram = alpha.say("a body");
    for (std::size_t size = headerSize; size < datagram.size(); ++size) {
        CHECK(beta.hear(datagram.substr(0, size)) == Opened::forged);
    }
    CHECK(beta.hear(datagram + '\0') == Opened::forged);
    CHECK(beta.sealer.forged() == datagram.size() - headerSize + 1);
}

TEST_CASE("another key of the same id opens nothing") {
    Side alpha(1, ringOf({5}));
    Keyring other;
    other.add(5, filled(6));
    Side beta(2, other);
    CHECK(beta.hear(alpha.say("x")) == Opened::forged);
    CHECK(beta.sealer.counters() == std::vector<Sealer::Counter>{{5, KeyUse::tx, 0}});
}

TEST_CASE("a body does not open under the header of another datagram") {
    Side alpha(1, ringOf({5}));
    Side gamma(3, ringOf({5}));
    Side beta(2, ringOf({5}));
    const std::string first = alpha.say("first body");
    const std::string second = alpha.say("other body");
    const std::string foreign = gamma.say("third body");
    CHECK(beta.hear(first.substr(0, headerSize) + second.substr(headerSize)) == Opened::forged);
    CHECK(beta.hear(foreign.substr(0, headerSize) + first.substr(headerSize)) == Opened::forged);
    CHECK(beta.read(first) == "first body");
    CHECK(beta.read(second) == "other body");
    CHECK(beta.read(foreign) == "third body");
}

TEST_CASE("the same body never looks the same twice") {
    Side alpha(1, ringOf({5}));
    Side gamma(3, ringOf({5}));
    const std::string body(64, 'x');
    const auto sealed = [&](Side& side) { return side.say(body).substr(headerSize); };
    const std::string first = sealed(alpha);
    CHECK(first != sealed(alpha));
    CHECK(first != sealed(gamma));
}

TEST_CASE("with and without keys do not hear each other") {
    Side plain(1, Keyring());
    Side sealed(2, ringOf({5}));
    Side otherPlain(3, Keyring());
    CHECK(plain.sealer.keyId() == 0);
    CHECK(sealed.hear(plain.say("x")) == Opened::notEncrypted);
    CHECK(plain.hear(sealed.say("x")) == Opened::encrypted);
    CHECK(plain.read(otherPlain.say("clear")) == "clear");
}

TEST_CASE("a key that is not ours is counted apart from what is forged") {
    Side alpha(1, ringOf({9}));
    Side beta(2, ringOf({5}));
    CHECK(beta.hear(alpha.say("x")) == Opened::unknownKey);
    CHECK(beta.sealer.unknownKey() == 1);
    CHECK(beta.sealer.forged() == 0);
}

TEST_CASE("keys change hosts by turns, and every datagram is opened") {
    Side alpha(1, ringOf({1}));
    Side beta(2, ringOf({1}));
    const auto talk = [&] {
        CHECK(beta.read(alpha.say("to beta")) == "to beta");
        CHECK(alpha.read(beta.say("to alpha")) == "to alpha");
    };
    Keyring both = ringOf({1, 2});
    Keyring turned = both;
    turned.use(2);
    Keyring second = turned;
    second.remove(1);

    for (const Keyring& ring : {both, turned, second}) {
        talk();
        alpha.sealer.setKeys(ring);
        talk();
        beta.sealer.setKeys(ring);
        talk();
    }
    CHECK(alpha.sealer.keyId() == 2);
}

TEST_CASE("a key that is gone opens nothing any more, a subkey that was kept included") {
    Side alpha(1, ringOf({1}));
    Side beta(2, ringOf({1}));
    CHECK(beta.hear(alpha.say("x")) == Opened::ok);
    CHECK(beta.sealer.subkeys() == 1);
    beta.sealer.setKeys(ringOf({2}));
    CHECK(beta.sealer.subkeys() == 0);
    CHECK(beta.hear(alpha.say("x")) == Opened::unknownKey);

    // The id comes back with another key.
    Keyring other;
    other.add(1, filled(77));
    beta.sealer.setKeys(other);
    CHECK(beta.hear(alpha.say("x")) == Opened::forged);
    beta.sealer.setKeys(Keyring());
    CHECK(beta.hear(alpha.say("x")) == Opened::encrypted);
}

TEST_CASE("the counters of a key stay while it stays, and show who has not changed yet") {
    Side alpha(1, ringOf({1}));
    Side beta(2, ringOf({1}));
    for (int i = 0; i < 3; ++i) beta.hear(alpha.say("x"));
    Keyring turned = ringOf({1, 2});
    turned.use(2);
    beta.sealer.setKeys(turned);
    beta.hear(alpha.say("x"));
    using Counters = std::vector<Sealer::Counter>;
    CHECK(beta.sealer.counters() == Counters{{1, KeyUse::rx, 4}, {2, KeyUse::tx, 0}});

    Keyring other;
    other.add(1, filled(77));
    beta.sealer.setKeys(other);
    CHECK(beta.sealer.counters() == Counters{{1, KeyUse::tx, 0}});
}

TEST_CASE("a datagram that was begun under the former key goes out under the present one") {
    Side alpha(1, ringOf({1}));
    Side beta(2, ringOf({1, 2}));
    Keyring turned = ringOf({1, 2});
    turned.use(2);
    alpha.sealer.setKeys(turned);
    CHECK(beta.read(alpha.say("x")) == "x");
    CHECK(beta.sealer.counters()[1].opened == 1);
}

TEST_CASE("sessions that nobody vouches for leave nothing behind") {
    Side beta(2, ringOf({5}));
    Side alpha(1, ringOf({5}));
    std::string datagram = alpha.say("x");
    std::mt19937 random(1);
    for (int i = 0; i < 10'000; ++i) {
        for (std::size_t at = 8; at < 24; ++at) datagram[at] = static_cast<char>(random());
        REQUIRE(beta.hear(datagram) == Opened::forged);
    }
    CHECK(beta.sealer.subkeys() == 0);
    CHECK(beta.sealer.forged() == 10'000);
}

TEST_CASE("more sessions than there is room for are heard all the same") {
    Side beta(200, ringOf({5}));
    std::vector<Side> many;
    for (std::uint8_t i = 1; i <= 100; ++i) many.emplace_back(i, ringOf({5}));
    for (int round = 0; round < 3; ++round) {
        for (Side& side : many) REQUIRE(beta.read(side.say("hello")) == "hello");
        REQUIRE(beta.sealer.subkeys() == maxSubkeys);
    }
}

TEST_CASE("random bytes of any length are refused") {
    Side beta(2, ringOf({1, 2, 3}));
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string datagram(headerSize + random() % 1300, '\0');
        for (char& byte : datagram) byte = static_cast<char>(random());
        datagram[4] = static_cast<char>(random() % 5);
        datagram[5] = 0;
        REQUIRE(beta.hear(datagram) != Opened::ok);
    }
}
