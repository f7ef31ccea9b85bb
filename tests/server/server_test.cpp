// The daemon as a library, spoken to along this system's own transport. No network.
#include <netcluster/server.hpp>

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <netcluster/agent.hpp>
#include <optional>
#include <string>

#include "endpoint.hpp"
#include "stream.hpp"
#include "temporary_directory.hpp"

namespace netcluster {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds deadline{20};

const char* const config = R"({
    "connecttonet": false,
    "channels": {
        "control": {},
        "A": { "propagatetochannels": "^B$" },
        "B": { "propagatetochannels": false },
        "lossy": { "propagatetochannels": false, "slowconsumer": "dropoldest" }
    }
})";

struct Daemon {
    testing::TemporaryDirectory dir;
    Server server{{.configText = config, .runDir = dir.name()}};
    Daemon() { server.start(); }
};

// A 1.x client: JSON packets, each ended by NUL, and no library.
class RawClient {
  public:
    RawClient(const Daemon& daemon, const std::string& channel) {
        local::Connected connected =
            local::connectTo(io_, local::endpointPath(daemon.dir.name(), channel));
        REQUIRE_MESSAGE(connected.stream, connected.error);
        stream_.emplace(std::move(*connected.stream));
    }

    void emit(const std::string& packet) {
        std::string bytes = packet + '\0';
        while (!bytes.empty()) {
            const std::string_view piece = bytes;
            bytes.erase(0, stream_->write({&piece, 1}).count);
            if (!bytes.empty()) wait([&](auto then) { stream_->waitWritable(then); });
        }
    }

    // The next packet; none when the daemon has closed.
    std::optional<std::string> next() {
        for (;;) {
            const auto end = buffer_.find('\0');
            if (end != std::string::npos) {
                std::string packet = buffer_.substr(0, end);
                buffer_.erase(0, end + 1);
                return packet;
            }
            wait([&](auto then) { stream_->waitReadable(then); });
            std::string chunk(std::size_t{64} << 10, '\0');
            const local::IoResult result = stream_->read(chunk);
            if (result.outcome == local::Io::closed) return {};
            REQUIRE(result.outcome != local::Io::failed);
            buffer_.append(chunk, 0, result.count);
        }
    }

  private:
    // `begin` starts a wait of either kind.
    template <typename Begin>
    void wait(Begin begin) {
        bool ready = false;
        begin([&](const boost::system::error_code& error) { ready = !error; });
        io_.restart();
        io_.run_for(deadline);
        REQUIRE(ready);
    }

    boost::asio::io_context io_;
    std::optional<local::Stream> stream_;
    std::string buffer_;
};

nlohmann::json dataOf(const std::optional<std::string>& packet) {
    REQUIRE(packet);
    return nlohmann::json::parse(*packet).at("data");
}

// Counts, to be awaited.
class Count {
  public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++value_;
        changed_.notify_all();
    }
    bool reaches(int value) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, deadline, [&] { return value_ >= value; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int value_ = 0;
};

// Two agents of one process share a connection, unless they look for their daemon in different
// places.
Options elsewhere(const Daemon& daemon) {
    return {.dir = (daemon.dir.path() / ".").string()};
}

}  // namespace

TEST_CASE("an event reaches agents and 1.x clients, on its channel and where it propagates") {
    const Daemon daemon;
    RawClient onB(daemon, "B");
    Agent sender("A", {.dir = daemon.dir.name()});
    Agent receiver("A", elsewhere(daemon));
    Count heard;
    receiver.on("temp.*", [&](const Event& event) {
        CHECK(event.data() == Json{{"x", 1}});
        heard.add();
    });
    sender.connect();
    receiver.connect();
    sender.emit("temperature", {{"x", 1}});
    CHECK(heard.reaches(1));
    CHECK(dataOf(onB.next()) == Json{{"x", 1}});

    RawClient onA(daemon, "A");
    onA.emit(R"({"event":"temperature","data":{"x":1}})");
    CHECK(heard.reaches(2));
    CHECK(dataOf(onB.next()) == Json{{"x", 1}});
}

TEST_CASE("at full speed nothing is lost and the order is kept") {
    constexpr int many = 20000;
    const Daemon daemon;
    Agent sender("A", {.dir = daemon.dir.name()});
    Agent receiver("B", {.dir = daemon.dir.name()});
    Count heard;
    int expected = 0;
    int wrong = 0;
    receiver.on(".*", [&](const Event& event) {
        if (event.data().at("n") != expected++) ++wrong;
        heard.add();
    });
    receiver.onGap([&](const Gap&) { ++wrong; });
    sender.connect();
    receiver.connect();
    const std::string ballast(200, 'x');
    for (int n = 0; n < many; ++n) {
        while (sender.emit("n", {{"n", n}, {"text", ballast}}) != Emitted::accepted) sender.sync();
    }
    CHECK(heard.reaches(many));
    CHECK(wrong == 0);
}

TEST_CASE("an event as large as may be crosses both ways") {
    const Daemon daemon;
    const std::string large((std::size_t{4} << 20) - 100, 'x');
    Agent agent("A", {.dir = daemon.dir.name()});
    RawClient client(daemon, "A");
    Count heard;
    agent.on("back", [&](const Event& event) {
        CHECK(event.data().get_ref<const std::string&>().size() == large.size());
        heard.add();
    });
    agent.connect();
    agent.emit("there", large);
    const Json data = dataOf(client.next());
    CHECK(data.get_ref<const std::string&>().size() == large.size());
    client.emit(Json{{"event", "back"}, {"data", large}}.dump());
    CHECK(heard.reaches(1));
}

TEST_CASE("one that never reads holds nobody up and is told what it missed") {
    const Daemon daemon;
    RawClient deaf(daemon, "lossy");
    RawClient reader(daemon, "lossy");
    Agent sender("lossy", {.dir = daemon.dir.name()});
    sender.connect();
    // More than its queue (8 MiB) and all that lies on the way.
    constexpr int many = 120;
    const std::string large(std::size_t{100} << 10, 'x');
    for (int n = 0; n < many; ++n) {
        while (sender.emit("n", {{"n", n}, {"text", large}}) != Emitted::accepted) sender.sync();
        CHECK(dataOf(reader.next()).at("n") == n);
    }
    int got = 0;
    int missed = 0;
    while (got + missed < many) {
        const Json packet = Json::parse(deaf.next().value());
        if (packet.at("event") == "nc-gap") {
            missed += packet.at("data").at("count").get<int>();
        } else {
            ++got;
        }
    }
    CHECK(missed > 0);
    CHECK(got + missed == many);
}

TEST_CASE("a daemon that stops gives its clients what they are owed, says why, and closes") {
    Daemon daemon;
    RawClient slow(daemon, "B");
    Agent sender("A", {.dir = daemon.dir.name()});
    sender.connect();
    // More than lies on the way, less than the queue.
    constexpr int many = 20;
    const std::string large(std::size_t{100} << 10, 'x');
    for (int n = 0; n < many; ++n) sender.emit("n", {{"n", n}, {"text", large}});
    sender.sync();
    auto stopping = std::async(std::launch::async, [&] { daemon.server.stop(); });
    for (int n = 0; n < many; ++n) CHECK(dataOf(slow.next()).at("n") == n);
    const auto last = slow.next();
    REQUIRE(last);
    CHECK(Json::parse(*last).at("event") == "nc-error");
    CHECK_FALSE(slow.next());
    CHECK(stopping.wait_for(deadline) == std::future_status::ready);
}

TEST_CASE("a daemon stops in time beside a client that does not read") {
    Daemon daemon;
    const RawClient deaf(daemon, "B");
    Agent sender("A", {.dir = daemon.dir.name()});
    sender.connect();
    const std::string large(std::size_t{100} << 10, 'x');
    for (int n = 0; n < 20; ++n) sender.emit("n", large);
    sender.sync();
    const auto began = Clock::now();
    daemon.server.stop();
    // The 2 s that it gives its clients, and no more for what the transport has taken.
    CHECK(Clock::now() - began < std::chrono::milliseconds(3500));
}

TEST_CASE("it can stop and start again, and agents come back by themselves") {
    Daemon daemon;
    Agent agent("A", {.dir = daemon.dir.name()});
    Count online;
    agent.onConnect([&] { online.add(); });
    agent.connect();
    CHECK(online.reaches(1));
    daemon.server.stop();
    daemon.server.start();
    CHECK(online.reaches(2));
    RawClient client(daemon, "B");
    agent.emit("again", 1);
    CHECK(dataOf(client.next()) == 1);
}

TEST_CASE("a second daemon on the same directory names the first") {
    const Daemon daemon;
    Server second({.configText = config, .runDir = daemon.dir.name()});
    std::string why;
    try {
        second.start();
    } catch (const Error& error) {
        why = error.what();
    }
    CHECK(why.find("another ncserver runs here (pid ") != std::string::npos);
}

TEST_CASE("a channel that is removed and added by a reload takes clients again") {
    Daemon daemon;
    const auto file = daemon.dir.file("config.json");
    const auto reload = [&](const std::string& channels) {
        FILE* out = std::fopen(file.c_str(), "wb");
        REQUIRE(out != nullptr);
        std::fputs(
            (R"({"connecttonet": false, "channels": {"control": {})" + channels + "}}").c_str(),
            out);
        std::fclose(out);
        const Json answer = daemon.server.reload(file);
        CHECK_FALSE(answer.contains("error"));
    };
    RawClient before(daemon, "A");
    RawClient(daemon, "A").emit(R"({"event":"hello","data":1})");
    CHECK(dataOf(before.next()) == 1);  // it has been let in
    reload("");
    CHECK(Json::parse(before.next().value()).at("event") == "nc-error");
    CHECK_FALSE(before.next());
    reload(R"(, "A": {"mode": "0666"})");
    RawClient after(daemon, "A");
    RawClient other(daemon, "A");
    Agent agent("A", {.dir = daemon.dir.name()});
    agent.connect();
    agent.emit("x", 7);
    CHECK(dataOf(after.next()) == 7);
    CHECK(dataOf(other.next()) == 7);
}

}  // namespace netcluster
