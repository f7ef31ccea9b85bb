// A network that falls apart and heals: what was sent meanwhile arrives afterwards, as far as the
// repair buffer reaches; what it does not is reported.
#include <doctest/doctest.h>

#include "presence.hpp"
#include "printing.hpp"
#include "stream.hpp"
#include "weather.hpp"

using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

constexpr Shape kilobyte{.size = 1000};

HostConfig roomy(int heartbeat = 100, const std::string& more = "") {
    return {.more = std::string(roomyQueues) + (more.empty() ? "" : ", " + more),
            .heartbeat = heartbeat};
}

/// Two hosts at a switch, each with an emitter, a listener and somebody at its `control`.
struct Two {
    explicit Two(const HostConfig& config = roomy()) : lab({config, config}, atSwitch) {
        for (std::size_t n = 0; n < 2; ++n) {
            const std::string other = lab[1 - n].name();
            emitters[n] = std::make_unique<Emitter>(lab[n].socket("A"), lab[n].name(), kilobyte);
            collectors[n] =
                std::make_unique<Collector>(lab[n].socket("A"), std::vector<std::string>{other});
            controls[n] = std::make_unique<JsonListener>(lab[n].socket("control"));
        }
        emitBoth(100);
        settleBoth();
    }

    void emitBoth(std::uint64_t count) {
        for (auto& emitter : emitters) emitter->emit(count);
    }
    void settleBoth() {
        settle(*emitters[0], {collectors[1].get()});
        settle(*emitters[1], {collectors[0].get()});
    }
    void awaitBoth(const char* notice) {
        for (std::size_t n = 0; n < 2; ++n) awaitNotice(*controls[n], notice, lab[1 - n].name());
    }
    Heardof heardBy(std::size_t host) { return collectors[host]->of(lab[1 - host].name()); }

    void checkAllArrived() {
        for (std::size_t n = 0; n < 2; ++n) {
            const Heardof heard = heardBy(n);
            CAPTURE(n);
            CAPTURE(heard);
            CHECK(heard.received == emitters[1 - n]->emitted());
            CHECK(heard.missing == 0);
            CHECK(heard.repeated == 0);
            CHECK(heard.wrong == 0);
            CHECK(lab[n].linkStats().at("gaps").at("count") == 0);
        }
    }

    Lab lab;
    std::unique_ptr<Emitter> emitters[2];
    std::unique_ptr<Collector> collectors[2];
    std::unique_ptr<JsonListener> controls[2];
};

}  // namespace

TEST_CASE("a switch port out for 10 s: both see the other expire and come back, nothing is lost") {
    Two hosts(roomy(0));  // as it comes: a heartbeat each second
    CHECK(isOnline(hosts.lab[0], "h2"));
    CHECK(isOnline(hosts.lab[1], "h1"));
    hosts.lab.unplug(hosts.lab[1]);
    const auto heals = Clock::now() + 10s;
    hosts.emitBoth(2000);
    hosts.awaitBoth(hostExpired);
    CHECK_FALSE(isOnline(hosts.lab[0], "h2"));
    CHECK_FALSE(isOnline(hosts.lab[1], "h1"));
    std::this_thread::sleep_until(heals);
    hosts.emitBoth(100);
    hosts.lab.plug(hosts.lab[1]);
    hosts.awaitBoth(hostOnline);
    CHECK(isOnline(hosts.lab[0], "h2"));
    CHECK(isOnline(hosts.lab[1], "h1"));
    hosts.emitBoth(100);
    hosts.settleBoth();
    hosts.checkAllArrived();
}

TEST_CASE("an interface down and up again: what was sent meanwhile arrives, on both sides") {
    Two hosts;
    hosts.lab[1].network().ip("link set eth0 down");
    hosts.emitBoth(1000);
    hosts.awaitBoth(hostExpired);
    hosts.emitBoth(1000);
    hosts.lab[1].network().ip("link set eth0 up");
    hosts.awaitBoth(hostOnline);
    hosts.settleBoth();
    hosts.checkAllArrived();
}

TEST_CASE("more than the repair buffer holds: the older are reported, the newer arrive") {
    Two hosts(roomy(100, R"("repairbuffer": "1MiB")"));
    constexpr std::uint64_t during = 8000;
    constexpr std::uint64_t newest = 500;  // half of what a MiB of such events would be
    hosts.lab.unplug(hosts.lab[1]);
    hosts.emitBoth(during);
    hosts.awaitBoth(hostExpired);
    hosts.lab.plug(hosts.lab[1]);
    hosts.awaitBoth(hostOnline);
    hosts.settleBoth();
    for (std::size_t n = 0; n < 2; ++n) {
        const Heardof heard = hosts.heardBy(n);
        const Json gaps = hosts.lab[n].linkStats().at("gaps");
        CAPTURE(n);
        CAPTURE(heard);
        CAPTURE(gaps.dump());
        CHECK(heard.repeated == 0);
        CHECK(heard.wrong == 0);
        CHECK(heard.holes == 1);
        CHECK(heard.untold == 0);
        CHECK(heard.missing > 0);
        CHECK(heard.missing <= during - newest);
        CHECK(heard.received + heard.missing == hosts.emitters[1 - n]->emitted());
        CHECK(gaps.at("count").get<std::uint64_t>() > 0);
        CHECK(gaps.at("datagrams").get<std::uint64_t>() > 0);
    }
    // And from then on as if nothing had been.
    const Json before = hosts.lab[1].linkStats().at("gaps");
    hosts.emitBoth(1000);
    hosts.settleBoth();
    CHECK(hosts.lab[1].linkStats().at("gaps") == before);
}

TEST_CASE("a host that hears nothing but is heard: what it missed arrives when it hears again") {
    Two hosts;
    dropAtRandom(hosts.lab[1].network(), 100);
    hosts.emitBoth(1000);
    awaitNotice(*hosts.controls[1], hostExpired, "h1");
    CHECK(isOnline(hosts.lab[0], "h2"));
    settle(*hosts.emitters[1], {hosts.collectors[0].get()});
    dropAtRandom(hosts.lab[1].network(), 0);
    awaitNotice(*hosts.controls[1], hostOnline, "h1");
    hosts.settleBoth();
    hosts.checkAllArrived();
}

TEST_CASE("a plug out and in, again and again under traffic: nothing is lost") {
    Two hosts;
    {
        Flow first(*hosts.emitters[0], 2000);
        Flow second(*hosts.emitters[1], 2000);
        for (int n = 0; n < 8; ++n) {
            hosts.lab.unplug(hosts.lab[1]);
            std::this_thread::sleep_for(200ms);
            hosts.lab.plug(hosts.lab[1]);
            std::this_thread::sleep_for(300ms);
        }
        first.stop();
        second.stop();
    }
    hosts.settleBoth();
    hosts.checkAllArrived();
}

TEST_CASE("one of three is cut off: the others go on without it, and it gets all afterwards") {
    Lab lab({roomy(), roomy(), roomy()});
    Emitter emitter(lab[0].socket("A"), "h1", kilobyte);
    Collector other(lab[1].socket("A"), {"h1"});
    Collector cutOff(lab[2].socket("A"), {"h1"});
    JsonListener control(lab[1].socket("control"));
    emitter.emit(100);
    settle(emitter, {&other, &cutOff});
    lab.unplug(lab[2]);
    emitter.emit(3000);
    settle(emitter, {&other});
    CHECK(other.of("h1").missing == 0);
    awaitNotice(control, hostExpired, "h3");
    lab.plug(lab[2]);
    awaitNotice(control, hostOnline, "h3");
    settle(emitter, {&other, &cutOff});
    for (const Collector* collector : {&other, &cutOff}) {
        const Heardof heard = collector->of("h1");
        CAPTURE(heard);
        CHECK(heard.received == emitter.emitted());
        CHECK(heard.missing == 0);
        CHECK(heard.repeated == 0);
    }
}
