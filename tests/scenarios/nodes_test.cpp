// Nodes as clients meet them: who they are on this host and others, and events meant for some of
// them. Clients are raw, in both encodings; the hosts are daemons of this machine that meet on its
// loopback interface.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

// A port of this test run's own, below those that the system gives out.
std::string hostConfig(const std::string& name) {
    const unsigned port = 10'000 + static_cast<unsigned>(getpid()) * 8 % 20'000;
    return R"({"connecttonet": true, "addr": "239.255.44.63", "netinterface": "lo", "port": )" +
           std::to_string(port) + R"(, "heartbeat": 100, "name": ")" + name + '"' +
           R"(, "channels": {"control": {}, "A": {"propagatetonet": ".*"}, "B": {}}})";
}

// What it is told next of that name.
Json hear(Client& client, const std::string& event) {
    for (;;) {
        const Heard heard = client.nextEvent();
        if (heard.event == event) return Json::parse(heard.data);
    }
}

// The answer to a request about nodes.
Json request(Client& client, const std::string& what, const Json& data) {
    client.emit(what, data.dump());
    return hear(client, what + "-response");
}

std::string reasonOf(const Json& answer) {
    return answer.value("error", "none");
}

struct TwoHosts {
    Daemon alpha{hostConfig("alpha")};
    Daemon beta{hostConfig("beta")};
    JsonListener onAlpha{alpha.socket("control")};
    JsonListener onBeta{beta.socket("control")};
    TwoHosts() {
        for (const Daemon* daemon : {&alpha, &beta}) {
            const auto deadline = Clock::now() + patience();
            while (daemon->ask("hosts").size() != 2) REQUIRE(Clock::now() < deadline);
        }
    }
};

}  // namespace

TEST_CASE("a client becomes a node, all hosts are told, and when it is gone as well") {
    TwoHosts hosts;
    for (const Encoding encoding : bothEncodings) {
        CAPTURE(nameOf(encoding));
        auto client = connect(encoding, hosts.alpha.socket("A"));
        const Json said{{"id", "web"},
                        {"regions", {"eu", "front"}},
                        {"info", {{"disk", "ssd"}}},
                        {"services", {{{"name", "http"}, {"port", 80}}}}};
        CHECK(request(*client, "nc-node-register", said) == Json{{"id", "web"}});
        for (Client* control : {&hosts.onAlpha, &hosts.onBeta}) {
            const Json online = hear(*control, "nc-node-online");
            for (const auto& [key, value] : said.items()) CHECK(online.at(key) == value);
            CHECK(online.at("hostname") == "alpha");
        }
        Json changed = said;
        changed["regions"] = {"us"};
        CHECK(request(*client, "nc-node-register", changed) == Json{{"id", "web"}});
        CHECK(hear(hosts.onBeta, "nc-node-changed").at("regions") == Json{"us"});

        client.reset();
        for (Client* control : {&hosts.onAlpha, &hosts.onBeta}) {
            const Json expired = hear(*control, "nc-node-expired");
            CHECK(expired.at("id") == "web");
            CHECK(expired.at("why") == "disconnected");
        }
    }
}

TEST_CASE("an event for a node reaches that alone, on its host as on another") {
    TwoHosts hosts;
    BinaryClient emitter(hosts.alpha.socket("A"));
    JsonListener bystander(hosts.alpha.socket("A"));
    JsonListener near(hosts.alpha.socket("A"));
    BinaryClient far(hosts.beta.socket("A"));
    BinaryClient farBystander(hosts.beta.socket("A"));
    request(near, "nc-node-register", {{"id", "near"}, {"regions", {"all"}}});
    request(far, "nc-node-register",
            {{"id", "far"}, {"regions", {"all"}}, {"info", {{"gpu", true}}}});
    hear(hosts.onAlpha, "nc-node-online");
    CHECK(hear(hosts.onAlpha, "nc-node-online").at("id") == "far");

    const std::vector<std::string> targets{"near",  "far", "all",       "near:far", "gpu=true",
                                           "!near", "*",   "host=beta", "nobody"};
    for (const std::string& target : targets) {
        emitter.emit("to " + target, "1", EmitWith{.to = target});
    }
    emitter.emit("fence");
    using Names = std::vector<std::string>;
    CHECK(near.eventsUntil("fence") == Names{"to near", "to all", "to near:far", "to *"});
    CHECK(far.eventsUntil("fence") == Names{"to far", "to all", "to near:far", "to gpu=true",
                                            "to !near", "to *", "to host=beta"});
    CHECK(bystander.eventsUntil("fence").empty());
    CHECK(farBystander.eventsUntil("fence").empty());
}

TEST_CASE("an answer finds a client that is no node, by the sender it was told") {
    TwoHosts hosts;
    JsonListener asker(hosts.alpha.socket("A"));
    JsonListener other(hosts.alpha.socket("A"));
    BinaryClient node(hosts.beta.socket("A"));
    request(node, "nc-node-register", {{"id", "db"}});
    CHECK(hear(hosts.onAlpha, "nc-node-online").at("id") == "db");

    asker.emit("question", "1", EmitWith{.to = "db", .id = "7"});
    const Heard question = node.nextEvent();
    CHECK(question.event == "question");
    node.emit("answer", "2", EmitWith{.to = "client=" + question.sender, .id = question.id});
    const Heard answer = asker.nextEvent();
    CHECK(answer.event == "answer");
    CHECK(answer.id == "7");
    node.emit("fence");
    CHECK(other.eventsUntil("fence").empty());
}

TEST_CASE("what is refused, and why") {
    TwoHosts hosts;
    BinaryClient one(hosts.alpha.socket("A"));
    JsonListener two(hosts.alpha.socket("B"));
    BinaryClient far(hosts.beta.socket("A"));
    CHECK(request(one, "nc-node-register", {{"id", "web"}}) == Json{{"id", "web"}});
    CHECK(hear(hosts.onBeta, "nc-node-online").at("id") == "web");
    CHECK(reasonOf(request(two, "nc-node-register", {{"id", "web"}})) ==
          "there is a node web of another client of this host");
    CHECK(reasonOf(request(far, "nc-node-register", {{"id", "web"}})) ==
          "there is a node web on host alpha");
    CHECK(reasonOf(request(one, "nc-node-register", "web")) == "a node is not an object");
    CHECK(reasonOf(request(one, "nc-node-register",
                           {{"id", "w"}, {"info", {{"text", std::string(5000, 'x')}}}})) ==
          "a description of more than 4096 bytes");
    CHECK(reasonOf(request(two, "nc-node-unregister", "web")) == "you have no such node");
    CHECK(request(one, "nc-node-unregister", "web") == Json{{"id", "web"}});
    CHECK(hear(hosts.onBeta, "nc-node-expired").at("why") == "unregistered");
    CHECK(request(two, "nc-node-register", {{"id", "web"}}) == Json{{"id", "web"}});

    // An address that is none: to nobody, and the log says so.
    one.emit("lost", "1", EmitWith{.to = "a b"});
    one.emit("fence");
    CHECK(far.eventsUntil("fence").empty());
    hosts.alpha.awaitLog("\"to\" is no target: unexpected at byte 3");
}

TEST_CASE("a plain JSON client is told when nobody can be meant by its \"to\"") {
    const Daemon daemon(localConfig(R"("A": {})"));
    JsonClient client(daemon.socket("A"));
    JsonListener other(daemon.socket("A"));
    const auto told = [&](const std::string& event, const EmitWith& how) {
        client.emit(event, "1", how);
        const Heard heard = client.nextEvent();
        CHECK(heard.event == "nc-refused");
        CHECK(heard.id == how.id);
        return Json::parse(heard.data);
    };
    const std::string why = "\"to\" is no target: unexpected at byte 5";
    CHECK(told("task", {.to = "tag~("}) == Json{{"event", "task"}, {"error", why}});
    // After its first mistake it hears of those alone to which it waits for an answer.
    client.emit("again", "1", EmitWith{.to = "tag~("});
    CHECK(told("a \"task\"", {.to = "tag~(", .id = "7"}).at("event") == "a \"task\"");
    // It stays, and others hear nothing of that. A 1.x client, which has no `to`, is told nothing.
    other.emit("nc-gap");
    other.emit("fence", "1");
    CHECK(client.nextEvent().event == "fence");
    client.emit("fence", "2");
    CHECK(other.nextEvent().event == "fence");
    CHECK(daemon.ask("showchannel", "A").at("refused") == 4);
}

TEST_CASE("how nodes are doing is told on all hosts, also to who comes later") {
    TwoHosts hosts;
    BinaryClient web(hosts.alpha.socket("A"));
    JsonListener db(hosts.beta.socket("A"));
    request(web, "nc-node-register", {{"id", "web"}});
    request(web, "nc-node-register", {{"id", "web-2"}});
    request(db, "nc-node-register", {{"id", "db"}});
    web.emit("nc-node-stats", R"({"load": 0.5, "memory": 1000})");
    db.emit("nc-node-stats", R"({"load": 2})");
    const Json expected{{"web", {{"load", 0.5}, {"memory", 1000}}},
                        {"web-2", {{"load", 0.5}, {"memory", 1000}}},
                        {"db", {{"load", 2}}}};
    for (Client* control : {&hosts.onAlpha, &hosts.onBeta}) {
        Json told = Json::object();
        while (told != expected) told.update(hear(*control, "nc-node-stats"));
    }
    for (const Daemon* daemon : {&hosts.alpha, &hosts.beta}) {
        BinaryClient late(daemon->socket("B"), {}, netcluster::wire::noticesCapability);
        std::map<std::string, Json> stats;
        while (stats.size() < 3) {
            const Json online = hear(late, "nc-node-online");
            stats[online.at("id")] = online.value("stats", Json());
        }
        for (const auto& [id, said] : expected.items()) CHECK(stats[id] == said);
    }

    // Refused with the reason; taken without a word, unless one is asked for.
    CHECK(reasonOf(request(web, "nc-node-stats", "busy")) == "stats are not an object");
    CHECK(reasonOf(request(web, "nc-node-stats", {{"text", std::string(3000, 'x')}})) ==
          "stats of more than 2048 bytes");
    db.emit("nc-node-stats", R"({"load": 3})");
    db.emit("nc-node-stats", R"({"load": 4})", EmitWith{.id = "7"});
    const Heard answer = db.nextEvent();
    CHECK(answer.event == "nc-node-stats-response");
    CHECK(answer.id == "7");
    CHECK(answer.data == "{}");
    JsonListener none(hosts.alpha.socket("B"));
    CHECK(reasonOf(request(none, "nc-node-stats", Json::object())) == "you have no node");
}

TEST_CASE("a host that comes late is told of all nodes; one that goes takes its own along") {
    Daemon alpha(hostConfig("alpha"));
    JsonListener web(alpha.socket("A"));
    request(web, "nc-node-register", {{"id", "web"}});
    {
        Daemon beta(hostConfig("beta"));
        JsonListener control(beta.socket("control"));
        CHECK(hear(control, "nc-node-online").at("id") == "web");
        JsonListener db(beta.socket("A"));
        JsonListener onAlpha(alpha.socket("control"));
        request(db, "nc-node-register", {{"id", "db"}});
        CHECK(hear(onAlpha, "nc-node-online").at("id") == "db");
        beta.process().signal(SIGSTOP);
        const Json expired = hear(onAlpha, "nc-node-expired");
        beta.process().signal(SIGCONT);
        CHECK(expired.at("id") == "db");
        CHECK(expired.at("why") == "host");
        CHECK(hear(onAlpha, "nc-node-online").at("id") == "db");  // back with its host
    }
}
