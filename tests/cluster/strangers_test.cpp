// What anybody in the network can send to a server, and what becomes of it.
#include <netcluster/agent.hpp>
#include <netcluster/server.hpp>
#include <thread>

#include "support.hpp"

namespace netcluster::cluster {
namespace {

// A daemon at the address of the cluster's second server, under any name.
class Stranger {
  public:
    explicit Stranger(const std::string& name)
        : daemon_({.configText = config(name),
                   .runDir = dir_.file("run"),
                   .onWarning = [](const std::string&) {}}),
          agent_("cluster", {.dir = dir_.file("run")}) {
        daemon_.start();
        agent_.connect();
    }
    void emit(const std::string& event, const Json& data) {
        CHECK(agent_.emit(event, data) == Emitted::accepted);
    }

  private:
    static std::string config(const std::string& name) {
        return Json{
            {"name", name},
            {"addr", ""},
            {"netinterface", "127.0.0.1"},
            {"port", portOf(1)},
            {"peers", {"127.0.0.1:" + std::to_string(portOf(0))}},
            {"startcontrol", false},
            {"channels", {{"control", Json::object()}, {"cluster", {{"propagatetonet", true}}}}}}
            .dump();
    }

    testing::TemporaryDirectory dir_;
    netcluster::Server daemon_;
    Agent agent_;
};

const std::string envelopes = "envelope." + std::to_string(pidAt(0));

// The link brings what is sent from when both have heard each other.
void emitUntilHeard(Stranger& stranger, const Server& server) {
    const auto before = server.counters().malformed;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (server.counters().malformed == before) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        stranger.emit("hello", 7);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

const std::vector<std::pair<std::string, Json>> malformed{
    {"hello", Json::object()},
    {"hello", nullptr},
    {"hello", {{"heard", "all"}}},
    {"hello", {{"heard", {1}}}},
    {"ack", Json::object()},
    {"ack", {{"upTo", 7}}},
    {"ack", {{"upTo", {{"100-x", -1}}}}},
    {"ack", {{"upTo", {{"100-x", "1"}}}}},
    {envelopes, Json::object()},
    {envelopes, "hello"},
    {envelopes, {{"msgId", 1}, {"msg", "no serial"}}},
    {envelopes, {{"serial", 1}, {"msg", "no msgId"}}},
    {envelopes, {{"serial", 1}, {"msgId", 1}}},
    {envelopes, {{"serial", -1}, {"msgId", 1}, {"msg", 0}}},
    {envelopes, {{"serial", "1"}, {"msgId", 1}, {"msg", 0}}},
    {envelopes, {{"serial", 1}, {"msgId", 1.5}, {"msg", 0}}},
    {envelopes, {{"serial", 1}, {"msgId", std::uint64_t{1} << 63}, {"msg", 0}}},
    {"envelope.all", {{"serial", 1}, {"msgId", 1}, {"msg", 0}, {"not", 100}}},
    {"envelope.all", {{"serial", 1}, {"msgId", 1}, {"msg", 0}, {"not", {"100"}}}}};

}  // namespace

TEST_CASE("what is no envelope is counted, and told once for each server that sends it") {
    Cluster cluster(2);
    Server& server = cluster[0];
    std::mutex mutex;
    std::vector<std::string> told;
    server.onError([&](const std::string& what) {
        const std::lock_guard lock(mutex);
        told.push_back(what);
    });
    const auto allTold = [&] {
        const std::lock_guard lock(mutex);
        return told;
    };
    server.start();
    std::vector<std::string> expected{
        "server 111 sends what is no envelope (said once for each server)"};
    for (const char* name : {"111-0123456789abcdef", "111-fedcba9876543210"}) {
        Stranger stranger(name);
        emitUntilHeard(stranger, server);
        // One that is well comes after all that were on their way.
        stranger.emit(envelopes, {{"serial", 1}, {"msgId", 1}, {"msg", "first"}});
        CHECK(receive(server) == Envelope{pidAt(1), 1, "first"});
        const auto before = server.counters().malformed;
        for (int n = 0; n < 50; ++n) {
            for (const auto& [event, data] : malformed) stranger.emit(event, data);
        }
        stranger.emit(envelopes, {{"serial", 2}, {"msgId", 2}, {"msg", "last"}});
        CHECK(receive(server) == Envelope{pidAt(1), 2, "last"});
        CHECK(server.counters().malformed == before + 50 * malformed.size());
        CHECK(allTold() == expected);
    }
    expected.push_back(
        "host zebra, no server of the file, sends what is no envelope (said once for all such "
        "hosts)");
    for (const char* name : {"zebra", "5-yak", "100-myself"}) {
        Stranger stranger(name);
        emitUntilHeard(stranger, server);
    }
    server.stop();
    CHECK(allTold() == expected);
}

}  // namespace netcluster::cluster
