// What happens when somebody does not read: design.md section 7.
#include <doctest/doctest.h>

#include <future>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace {

// Small caps, so that little is needed to fill them: the kernel itself takes about 200 KiB.
constexpr std::size_t queueCap = std::size_t{1} << 20;

std::string configWith(const std::string& policy) {
    return localConfig("\"A\": {\"slowconsumer\": \"" + policy + "\"}, \"B\": {}",
                       R"("clientqueue": "1MiB", "stalltimeout": 100)");
}

constexpr std::uint64_t flood = 3000;  // of 1 KiB: far beyond kernel and queue together

std::string numbered(std::uint64_t n, std::size_t size = 1024) {
    std::string text = "[" + std::to_string(n) + ",\"";
    text.append(size - text.size() - 2, 'x');
    return text + "\"]";
}

std::uint64_t numberOf(const Heard& heard) {
    return std::stoull(heard.data.substr(1));
}

/// Emits numbers 1 to `count` and waits until the daemon has taken them all.
void emitFlood(BinaryClient& emitter, std::uint64_t count = flood) {
    for (std::uint64_t n = 1; n <= count; ++n) emitter.emit("n", numbered(n));
    emitter.sync();
}

/// Reads up to `last` and checks that each number came in order or is told of, exactly, by a gap at
/// its place. Since all events meant for the client are the numbers, sequence and number agree.
struct Account {
    std::uint64_t received = 0;
    std::uint64_t missing = 0;
    std::uint64_t gaps = 0;
    std::uint64_t firstGap = 0;
    std::uint64_t sinceGap = 0;  // received after the last one
};
Account readUpTo(Client& client, std::uint64_t last) {
    Account account;
    std::uint64_t expected = 1;
    while (expected <= last) {
        const Heard heard = client.next();
        REQUIRE(heard.kind != Heard::Kind::end);
        if (heard.kind == Heard::Kind::gap) {
            REQUIRE(heard.gap.first == expected);
            REQUIRE(heard.gap.count == heard.gap.last - heard.gap.first + 1);
            expected = heard.gap.last + 1;
            account.missing += heard.gap.count;
            account.sinceGap = 0;
            if (account.gaps++ == 0) account.firstGap = heard.gap.first;
        } else {
            REQUIRE(numberOf(heard) == expected);
            ++account.received;
            ++account.sinceGap;
            ++expected;
        }
    }
    CHECK(expected == last + 1);
    return account;
}

std::string uuidOf(const Daemon& daemon, const std::string& encoding, const std::string& than) {
    const Json channel = daemon.ask("showchannel", "A");
    for (const Json& client : channel.at("clients")) {
        if (client.at("encoding") == encoding && client.at("client") != than)
            return client.at("client");
    }
    return "";
}

/// The flood, while `reader` reads and must get all of it. Not faster than it reads: under the
/// policies that drop nobody is held up for its sake, and a busy machine may pause it for long.
void emitInStep(BinaryClient& emitter, BinaryClient& reader) {
    constexpr std::uint64_t step = 50;
    for (std::uint64_t done = 0; done < flood; done += step) {
        for (std::uint64_t n = done + 1; n <= done + step; ++n) emitter.emit("n", numbered(n));
        for (std::uint64_t n = done + 1; n <= done + step; ++n) {
            REQUIRE(numberOf(reader.nextEvent()) == n);
        }
    }
}

struct Room {
    explicit Room(const std::string& policy, Encoding slowOne = Encoding::json)
        : daemon(configWith(policy)),
          slow(connect(slowOne, daemon.socket("A"))),
          emitter(daemon.socket("A"), {}),
          reader(daemon.socket("A")) {
        slowId = slowOne == Encoding::binary ? dynamic_cast<BinaryClient&>(*slow).uuid()
                                             : uuidOf(daemon, "json", "");
    }
    Json slowDetails() { return daemon.ask("showclient", {{"channel", "A"}, {"client", slowId}}); }
    void run() { emitInStep(emitter, reader); }

    Daemon daemon;
    std::unique_ptr<Client> slow;
    BinaryClient emitter;
    BinaryClient reader;
    std::string slowId;
};

}  // namespace

TEST_CASE(
    "block: one that never reads is left behind; others lose nothing; it is told what it missed") {
    for (const Encoding encoding : bothEncodings) {
        CAPTURE(nameOf(encoding));
        Room room("block", encoding);
        const auto start = Clock::now();
        room.run();
        // Held up for the stall timeout once, not for every event.
        CHECK(Clock::now() - start < std::chrono::seconds(5) * slowness());

        const Json details = room.slowDetails();
        CHECK(details.at("stalled") == true);
        CHECK(details.at("queued").get<std::size_t>() <= queueCap + 2048);
        const auto dropped = details.at("dropped").get<std::uint64_t>();
        CHECK(dropped > 0);
        CHECK(room.daemon.ask("showchannel", "A").at("dropped") == dropped);
        CHECK(room.daemon.log().find(room.slowId) != std::string::npos);
        CHECK(room.daemon.log().find("slow consumer") != std::string::npos);

        // It reads again: what it got and what it missed add up, in order; the newest are there.
        const Account account = readUpTo(*room.slow, flood);
        CHECK(account.missing == dropped);
        CHECK(account.received == flood - dropped);
        CHECK(account.gaps >= 1);

        // It has caught up: from here on it is a client like any other.
        room.emitter.emit("n", numbered(flood + 1));
        CHECK(numberOf(room.slow->nextEvent()) == flood + 1);
        CHECK(room.slowDetails().at("stalled") == false);
        CHECK(room.slowDetails().at("dropped") == dropped);
        CHECK(room.slowDetails().at("queued") == 0);
    }
}

TEST_CASE("dropoldest: the newest events are kept, and nobody waits") {
    for (const Encoding encoding : bothEncodings) {
        Room room("dropoldest", encoding);
        room.run();
        const auto dropped = room.slowDetails().at("dropped").get<std::uint64_t>();
        CHECK(dropped > 0);
        CHECK(room.slowDetails().at("queued").get<std::size_t>() <= queueCap + 2048);
        const Account account = readUpTo(*room.slow, flood);
        CHECK(account.missing == dropped);
        CHECK(account.sinceGap > queueCap / 1200);  // a queue full of the newest
        room.emitter.emit("n", numbered(flood + 1));
        CHECK(numberOf(room.slow->nextEvent()) == flood + 1);
    }
}

TEST_CASE("dropnewest: what was queued first is kept, what came later is told of at the end") {
    for (const Encoding encoding : bothEncodings) {
        Room room("dropnewest", encoding);
        room.run();
        const auto dropped = room.slowDetails().at("dropped").get<std::uint64_t>();
        CHECK(dropped > 0);
        const Account account = readUpTo(*room.slow, flood);
        CHECK(account.missing == dropped);
        CHECK(account.firstGap > queueCap / 1200);  // a queue full of the oldest
        room.emitter.emit("n", numbered(flood + 1));
        CHECK(numberOf(room.slow->nextEvent()) == flood + 1);
    }
}

TEST_CASE(
    "disconnect: one whose queue is full must go, with the reason logged; others lose nothing") {
    for (const Encoding encoding : bothEncodings) {
        Room room("disconnect", encoding);
        room.run();
        room.daemon.awaitLog("disconnected: ");
        const std::string log = room.daemon.log();
        const auto line = log.find("disconnected: ");
        REQUIRE(line != std::string::npos);
        CHECK(log.rfind(room.slowId, line) != std::string::npos);
        // What it was sent before comes in order; then the reason if there was room, then the end.
        std::uint64_t expected = 1;
        try {
            for (;;) {
                const Heard heard = room.slow->next();
                if (heard.kind == Heard::Kind::end || heard.event != "n") break;
                REQUIRE(numberOf(heard) == expected);
                ++expected;
            }
        } catch (const Error& cut) {
            CHECK(std::string(cut.what()).find("ended within") != std::string::npos);
        }
        CHECK(expected > 1);
        CHECK(expected < flood);
        CHECK(room.slowDetails().contains("error"));  // no such client any more
    }
}

TEST_CASE("block: one that reads slowly, but reads, loses nothing and slows its senders down") {
    Daemon daemon(localConfig(R"("A": {})", R"("clientqueue": "64KiB", "stalltimeout": 5000)"));
    BinaryClient emitter(daemon.socket("A"), {});
    JsonClient slow(daemon.socket("A"));
    auto emitting = std::async(std::launch::async, [&] { emitFlood(emitter); });
    const Account account = readUpTo(slow, flood);
    emitting.get();
    CHECK(account.received == flood);
    CHECK(account.gaps == 0);
}

TEST_CASE("at full speed, listeners that keep reading lose nothing, whatever they speak") {
    // A busy machine may pause a reader for longer than the 250 ms of the default.
    Daemon daemon(
        localConfig(R"("A": {"propagatetochannels": ".*"}, "B": {})", R"("stalltimeout": 5000)"));
    constexpr std::uint64_t each = 10000;
    std::vector<std::unique_ptr<Client>> listeners;
    for (const char* channel : {"A", "B"}) {
        for (const Encoding encoding : bothEncodings) {
            listeners.push_back(connect(encoding, daemon.socket(channel)));
        }
    }
    BinaryClient emitter(daemon.socket("A"), {});
    std::vector<std::future<void>> reading;
    std::vector<Account> accounts(listeners.size());
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        reading.push_back(std::async(std::launch::async,
                                     [&, i] { accounts[i] = readUpTo(*listeners[i], each); }));
    }
    emitFlood(emitter, each);
    for (auto& done : reading) done.get();
    for (const Account& account : accounts) CHECK(account.received == each);
}

TEST_CASE("many that never read: memory stays within the daemon's cap, others are served") {
    constexpr int sleepers = 20;
    Daemon daemon(localConfig(
        R"("A": {})", R"("clientqueue": "1MiB", "processqueue": "4MiB", "stalltimeout": 50)"));
    BinaryClient emitter(daemon.socket("A"), {});
    BinaryClient reader(daemon.socket("A"));
    std::vector<std::unique_ptr<Client>> asleep;
    for (int n = 0; n < sleepers; ++n) {
        asleep.push_back(connect(bothEncodings[n % 2], daemon.socket("A")));
    }
    emitter.emit("n", numbered(1));
    readUpTo(reader, 1);
    const std::size_t before = daemon.memory();
    emitInStep(emitter, reader);  // 3 MiB for each of them, 60 MiB in all
    const auto queued = daemon.ask("stats").at("queued").get<std::size_t>();
    CHECK(queued <= (std::size_t{4} << 20) + (std::size_t{64} << 10));
    CHECK(queued > 0);
    if (slowness() == 1) CHECK(daemon.memory() - before < std::size_t{24} << 20);
    // When they go, what was kept for them goes; and the log has named each of them by then.
    asleep.clear();
    CHECK(daemon.process().err.waitForCount("slow consumer", sleepers));
    emitter.emit("n", numbered(1));
    CHECK(numberOf(reader.nextEvent()) == 1);
    emitter.sync();
    CHECK(daemon.ask("stats").at("queued").get<std::size_t>() < std::size_t{64} << 10);
}

TEST_CASE(
    "a sender is never blocked by its own queue: two that only talk do not hold each other up") {
    Daemon daemon(configWith("block"));
    BinaryClient left(daemon.socket("A"));
    BinaryClient right(daemon.socket("A"));
    JsonClient reader(daemon.socket("A"));
    auto reading = std::async(std::launch::async, [&] {
        for (std::uint64_t told = 0; told < 2 * flood;) {
            const Heard heard = reader.next();
            told += heard.kind == Heard::Kind::gap ? heard.gap.count : 1;
        }
    });
    auto talking = std::async(std::launch::async, [&] {
        for (std::uint64_t n = 1; n <= flood; ++n) right.emit("r", numbered(n));
    });
    for (std::uint64_t n = 1; n <= flood; ++n) left.emit("l", numbered(n));
    talking.get();
    reading.get();
    // Both read at last: in order, with gaps that add up.
    for (BinaryClient* client : {&left, &right}) {
        std::uint64_t told = 0;
        while (told < flood) {
            const Heard heard = client->next();
            told += heard.kind == Heard::Kind::gap ? heard.gap.count : 1;
        }
        CHECK(told == flood);
    }
}

TEST_CASE("a full client on one channel holds up nobody on another") {
    Daemon daemon(
        localConfig(R"("A": {}, "B": {})", R"("clientqueue": "64KiB", "stalltimeout": 60000)"));
    JsonClient never(daemon.socket("A"));
    BinaryClient emitter(daemon.socket("A"), {});
    // Until the daemon takes no more from this emitter: it is held, for a minute.
    const std::string payload = numbered(1);
    std::string frame;
    wire::EventView event;
    event.name = "n";
    event.channel = "A";
    event.payload = payload;
    wire::appendEvent(frame, event);
    const std::string many = [&] {
        std::string all;
        for (int n = 0; n < 4096; ++n) all += frame;
        return all;
    }();
    auto held = std::async(std::launch::async, [&] { emitter.connection().send(many); });
    JsonClient listener(daemon.socket("B"));
    JsonClient other(daemon.socket("B"));
    for (int n = 0; n < 100; ++n) {
        other.emit("b", std::to_string(n));
        REQUIRE(listener.nextEvent().data == std::to_string(n));
    }
    CHECK(daemon.ask("stats").at("queued").get<std::size_t>() < std::size_t{1} << 20);
    never.connection().close();  // the one it waits for goes: it may go on
    held.get();
    emitter.sync();
}

TEST_CASE("an event larger than the queue still reaches a client that reads") {
    Daemon daemon(configWith("block"));
    JsonClient listener(daemon.socket("A"));
    BinaryClient binary(daemon.socket("A"));
    BinaryClient emitter(daemon.socket("A"), {});
    for (std::uint64_t n = 1; n <= 5; ++n) {
        emitter.emit("n", numbered(n, std::size_t{1} << 20));
        CHECK(numberOf(listener.nextEvent()) == n);
        CHECK(numberOf(binary.nextEvent()) == n);
    }
}

TEST_CASE("a burst larger than the queue is no reason to drop while the client's socket has room") {
    for (const char* policy : {"block", "dropoldest", "dropnewest", "disconnect"}) {
        CAPTURE(policy);
        Daemon daemon(localConfig(std::string("\"A\": {\"slowconsumer\": \"") + policy + "\"}",
                                  R"("clientqueue": "64KiB")"));
        for (const Encoding encoding : bothEncodings) {
            auto listener = connect(encoding, daemon.socket("A"));
            BinaryClient emitter(daemon.socket("A"), {});
            std::string burst;
            for (std::uint64_t n = 1; n <= 120; ++n) {
                const std::string data = numbered(n);
                wire::EventView event;
                event.name = "n";
                event.channel = "A";
                event.payload = data;
                wire::appendEvent(burst, event);
            }
            emitter.connection().send(burst);
            for (std::uint64_t n = 1; n <= 120; ++n) REQUIRE(numberOf(listener->nextEvent()) == n);
        }
    }
}
