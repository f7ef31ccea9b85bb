// Events between hosts: every size, in order, both ways; multicast, peers, loopback.
#include <doctest/doctest.h>

#include <future>

#include "lab.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

using Names = std::vector<std::string>;

// Sizes around what fits a datagram, and where 1.x users would send files.
std::vector<std::size_t> allSizes() {
    std::vector<std::size_t> sizes{0, 1, 100, 1024};
    for (std::size_t size = 1199; size <= 1233; ++size) sizes.push_back(size);
    for (const std::size_t size :
         {std::size_t{64} << 10, std::size_t{1} << 20, std::size_t{4} << 20}) {
        sizes.push_back(size);
    }
    return sizes;
}

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t n = 0; n < size; ++n) bytes[n] = static_cast<char>(n * 31 + n / 251 + size);
    return bytes;
}

std::string jsonOf(std::size_t size) {
    if (size < 2) return size == 0 ? "" : "7";
    std::string text(size, 'x');
    text.front() = text.back() = '"';
    return text;
}

void emitBoth(Client& emitter, std::size_t size) {
    emitter.emit("bytes", pattern(size), EmitWith{.bytes = true});
    emitter.emit("json", jsonOf(size));
}

void hearBoth(Client& binary, Client& json, std::size_t size, const std::string& host) {
    CAPTURE(size);
    const Heard bytes = binary.nextEvent();
    REQUIRE(bytes.event == "bytes");
    REQUIRE(bytes.data.size() == size);
    CHECK((bytes.data == pattern(size)));
    CHECK(bytes.host == host);
    const Heard text = binary.nextEvent();
    REQUIRE(text.event == "json");
    CHECK((text.data == jsonOf(size)));

    REQUIRE(json.nextEvent().event == "bytes");
    const Heard packet = json.nextEvent();
    REQUIRE(packet.event == "json");
    CHECK((packet.data == (size == 0 ? "null" : jsonOf(size))));
    CHECK(packet.host == host);
}

void crossAllSizes(Host& from, Host& to) {
    BinaryClient emitter(from.socket("A"), {});
    BinaryClient binary(to.socket("A"));
    JsonListener json(to.socket("A"));
    const std::vector<std::size_t> sizes = allSizes();
    // First all that the link's queue (8 MiB) has room for at once, then the largest to the least.
    const std::size_t burst = sizes.size() - 1;
    for (std::size_t n = 0; n < burst; ++n) emitBoth(emitter, sizes[n]);
    for (std::size_t n = 0; n < burst; ++n) hearBoth(binary, json, sizes[n], from.name());
    for (std::size_t n = sizes.size(); n-- > 0;) {
        emitBoth(emitter, sizes[n]);
        hearBoth(binary, json, sizes[n], from.name());
    }
}

}  // namespace

TEST_CASE("events of every size from 0 B to 4 MiB cross, in order, both ways") {
    // Room for the largest as base64, twice.
    Lab lab({{.more = R"("clientqueue": "64MiB", "processqueue": "256MiB")"},
             {.more = R"("clientqueue": "64MiB", "processqueue": "256MiB")"}});
    crossAllSizes(lab[0], lab[1]);
    crossAllSizes(lab[1], lab[0]);
    for (std::size_t n = 0; n < 2; ++n) {
        const Json gaps = lab[n].linkStats().at("gaps");
        CHECK(gaps.at("datagrams") == 0);
        CHECK(gaps.at("events") == 0);
    }
}

TEST_CASE("what a listener on the other host sees of an event") {
    Lab lab({{}, {}});
    BinaryClient emitter(lab[0].socket("A"), {});
    BinaryClient binary(lab[1].socket("A"));
    JsonListener json(lab[1].socket("A"));
    const std::string both = "client=" + binary.uuid() + " | !client=" + binary.uuid();
    emitter.emit("hellö", R"({"x":[1,"日本"]})",
                 EmitWith{.to = both, .id = "id-1", .replyTo = "back"});
    for (const Heard& heard : {binary.nextEvent(), json.nextEvent()}) {
        CHECK(heard.event == "hellö");
        CHECK(heard.data == R"({"x":[1,"日本"]})");
        CHECK(heard.channel == "A");
        CHECK(heard.host == "h1");
        CHECK(heard.sender == emitter.uuid());
        CHECK(heard.to == both);
        CHECK(heard.id == "id-1");
        CHECK(heard.replyTo == "back");
        CHECK_FALSE(heard.broadcast);
        CHECK_FALSE(heard.bytes);
    }
    emitter.emit("raw", std::string("\0\xff", 2), EmitWith{.bytes = true});
    const Heard raw = binary.nextEvent();
    CHECK(raw.bytes);
    CHECK(raw.remote);
    CHECK((raw.data == std::string("\0\xff", 2)));
    CHECK(Json::parse(json.nextEvent().data) == Json{{"$bytes", "AP8="}});
}

TEST_CASE("a thousand small events each way at once: all of them, in order") {
    Lab lab({{}, {}});
    constexpr int count = 1000;
    const auto emitAll = [](Host& host) {
        BinaryClient emitter(host.socket("A"), {});
        for (int n = 0; n < count; ++n) emitter.emit(host.name(), std::to_string(n));
        emitter.sync();
    };
    std::vector<std::unique_ptr<BinaryClient>> listeners;
    for (const std::size_t n : {0, 1}) {
        listeners.push_back(
            std::make_unique<BinaryClient>(lab[n].socket("A"), Names{lab[1 - n].name()}));
    }
    auto first = std::async(std::launch::async, [&] { emitAll(lab[0]); });
    auto second = std::async(std::launch::async, [&] { emitAll(lab[1]); });
    for (auto& listener : listeners) {
        for (int n = 0; n < count; ++n) REQUIRE(listener->nextEvent().data == std::to_string(n));
    }
    first.get();
    second.get();
}

TEST_CASE("a host does not hear itself: its own datagrams are ignored") {
    Lab lab({{}, {}});
    JsonListener local(lab[0].socket("A"));
    JsonListener remote(lab[1].socket("A"));
    JsonListener emitter(lab[0].socket("A"));
    for (int n = 0; n < 20; ++n) emitter.emit("n", std::to_string(n));
    emitter.emit("fence");
    CHECK(remote.eventsUntil("fence").size() == 20);
    CHECK(local.eventsUntil("fence").size() == 20);
    // What came back from the network would come now, before the other host's answer.
    remote.emit("answer");
    CHECK(local.nextEvent().event == "answer");
    CHECK(emitter.nextEvent().event == "answer");
    const Json stats = lab[0].linkStats();
    CHECK(stats.at("events").at("received") == 1);
    CHECK(stats.at("hosts").size() == 1);
    CHECK(stats.at("hosts")[0].at("name") == "h2");
}

TEST_CASE(
    "three hosts: each hears an event once, and what came from the net does not go back to it") {
    const HostConfig open{.channels = R"("A": {"propagatetonet": true, "propagatetochannels": ".*"},
                                         "B": {"propagatetonet": true, "propagatetochannels": ".*"})"};
    Lab lab({open, open, open});
    std::vector<std::unique_ptr<JsonListener>> listeners;
    for (std::size_t n = 0; n < 3; ++n) {
        listeners.push_back(std::make_unique<JsonListener>(lab[n].socket("A")));
        listeners.push_back(std::make_unique<JsonListener>(lab[n].socket("B")));
    }
    for (std::size_t from = 0; from < 3; ++from) {
        JsonListener emitter(lab[from].socket("A"));
        emitter.emit("once");
        emitter.broadcast("wide");
        emitter.emit("fence");
        for (auto& listener : listeners) {
            const Names heard = listener->eventsUntil("fence");
            CHECK(heard == Names{"once", "wide"});
        }
        // An echo of the first round would have come before the second round's events; the last
        // round's would show in the counters.
        for (std::size_t n = 0; n < 3; ++n) {
            CHECK(lab[n].linkStats().at("events").at("sent") == (n <= from ? 3 : 0));
        }
    }
    for (std::size_t n = 0; n < 3; ++n) CHECK(lab[n].linkStats().at("events").at("received") == 6);
}

TEST_CASE("unicast peers alone, without a multicast group") {
    const auto peersOf = [](const char* all) {
        return HostConfig{.more = std::string("\"addr\": \"\", \"port\": 4455, \"peers\": ") + all};
    };
    Lab lab({peersOf(R"(["10.77.0.2:4455", "10.77.0.3:4455"])"),
             peersOf(R"(["10.77.0.1:4455", "10.77.0.3:4455"])"),
             peersOf(R"(["10.77.0.1:4455", "10.77.0.2:4455", "10.77.0.3:4455"])")});
    for (std::size_t from = 0; from < 3; ++from) {
        JsonListener emitter(lab[from].socket("A"));
        std::vector<std::unique_ptr<JsonListener>> listeners;
        for (std::size_t n = 0; n < 3; ++n) {
            listeners.push_back(std::make_unique<JsonListener>(lab[n].socket("A")));
        }
        emitter.emit("small");
        emitter.emit("large", jsonOf(100000));
        emitter.emit("fence");
        for (auto& listener : listeners) {
            CHECK(listener->eventsUntil("fence") == Names{"small", "large"});
        }
    }
}

TEST_CASE("multicast and peers together: two ways, one delivery") {
    const HostConfig both{.more = R"("peers": ["10.77.0.1:4454", "10.77.0.2:4454"])"};
    Lab lab({both, both});
    JsonListener emitter(lab[0].socket("A"));
    JsonListener listener(lab[1].socket("A"));
    for (int n = 0; n < 50; ++n) emitter.emit("n");
    emitter.emit("large", jsonOf(50000));
    emitter.emit("fence");
    CHECK(listener.eventsUntil("fence").size() == 51);
    emitter.emit("fence");
    CHECK(listener.eventsUntil("fence").empty());
}

TEST_CASE("IPv6 multicast") {
    Host first(1);
    Host second(2);
    cable(first.network(), "eth0", second.network(), "eth0");
    for (Host* host : {&first, &second}) {
        host->network().ip("addr add fd77::" + host->name().substr(1) + "/64 dev eth0 nodad");
        host->network().ip("addr add fe80::77:" + host->name().substr(1) + "/64 dev eth0 nodad");
        host->start({.more = R"("addr": "ff12::4e43:4454")"});
    }
    first.awaitOnline({&second});
    second.awaitOnline({&first});
    JsonListener emitter(first.socket("A"));
    JsonListener listener(second.socket("A"));
    emitter.emit("six", jsonOf(20000));
    const Heard heard = listener.nextEvent();
    CHECK(heard.event == "six");
    CHECK((heard.data == jsonOf(20000)));
}

TEST_CASE("two daemons on one host share loopback multicast") {
    NetworkNamespace network;
    const auto config = [](const char* name) {
        return std::string("{\"name\": \"") + name +
               R"(", "netinterface": "lo", "heartbeat": 100, "channels": {"control": {},)" +
               R"("A": {"propagatetonet": true}}})";
    };
    const DaemonOptions there{.spawn = {.networkNamespace = network.descriptor()}};
    Daemon one(config("one"), there);
    Daemon two(config("two"), there);
    one.awaitLog("host two is online");
    two.awaitLog("host one is online");
    for (const auto& [from, to] : {std::pair{&one, &two}, std::pair{&two, &one}}) {
        JsonListener emitter(from->socket("A"));
        JsonListener local(from->socket("A"));
        JsonListener remote(to->socket("A"));
        for (const std::size_t size : {std::size_t{10}, std::size_t{2000}, std::size_t{1} << 20}) {
            emitter.emit("n", jsonOf(size));
        }
        emitter.emit("fence");
        CHECK(remote.eventsUntil("fence") == Names{"n", "n", "n"});
        CHECK(local.eventsUntil("fence") == Names{"n", "n", "n"});
    }
    // One goes: the other notices at once, and goes on.
    CHECK(one.stop() == 0);
    two.awaitLog("host one is gone");
    JsonListener emitter(two.socket("A"));
    JsonListener listener(two.socket("A"));
    emitter.emit("alone");
    CHECK(listener.nextEvent().event == "alone");
}

TEST_CASE("without any network the host is served; when one comes the link finds it") {
    Host first(1);
    Host second(2);
    for (Host* host : {&first, &second}) {
        host->network().ip("link set lo down");
        host->start({});
        JsonListener emitter(host->socket("A"));
        JsonListener listener(host->socket("A"));
        emitter.emit("local");
        CHECK(listener.nextEvent().event == "local");
    }
    cable(first.network(), "eth0", second.network(), "eth0");
    first.setAddress();
    second.setAddress();
    first.awaitOnline({&second});
    second.awaitOnline({&first});
    JsonListener emitter(first.socket("A"));
    JsonListener listener(second.socket("A"));
    emitter.emit("across");
    CHECK(listener.nextEvent().event == "across");
}
