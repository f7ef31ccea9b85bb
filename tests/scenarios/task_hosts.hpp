// Two hosts, daemons of this machine that meet on its loopback interface, and programs with tasks
// on them.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <netcluster/tasks.hpp>

#include "awaiting_nodes.hpp"
#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

namespace netcluster::scenario {

/// A port of this test run's own, below those that the system gives out.
inline std::string taskHostConfig(const std::string& name, const std::string& channelA,
                                  const std::string& more = "") {
    const unsigned port = 10'000 + (static_cast<unsigned>(getpid()) * 8 + 6) % 20'000;
    return R"({"connecttonet": true, "addr": "239.255.44.65", "netinterface": "lo", "port": )" +
           std::to_string(port) + R"(, "heartbeat": 100, "name": ")" + name + '"' + more +
           R"(, "channels": {"control": {}, "A": )" + channelA +
           R"(, "B": {"propagatetochannels": "^A$"}}})";
}

struct TwoHosts {
    explicit TwoHosts(const std::string& channelA = R"({"propagatetonet": ".*"})",
                      const std::string& more = "")
        : alpha(taskHostConfig("alpha", channelA, more)),
          beta(taskHostConfig("beta", channelA, more)) {
        for (const Daemon* daemon : {&alpha, &beta}) {
            awaitTrue([&] { return daemon->ask("hosts").size() == 2; });
        }
    }
    Daemon alpha;
    Daemon beta;
};

/// A program that is connected, and, when it has ids, these nodes, all of the region `all`.
struct Program : Tasks {
    explicit Program(const Daemon& daemon, const std::vector<std::string>& ids = {},
                     Options options = {}, const std::string& channel = "A")
        : Tasks(channel, at(daemon, std::move(options))) {
        agent().connect(patience());
        for (const std::string& id : ids) {
            NodeDescription node;
            node.id = id;
            node.regions = {"all"};
            agent().registerNode(node, patience());
        }
    }
    static Options at(const Daemon& daemon, Options options) {
        options.dir = daemon.runDir();
        return options;
    }
    void awaitNodes(std::size_t count) {
        scenario::awaitNodes([&] { return agent().nodes().size() == count; }, agent());
    }
};

/// "a: success 1; b: failed, why; …"
inline std::string told(const std::vector<Answer>& answers) {
    std::string text;
    for (const Answer& answer : answers) {
        text += text.empty() ? "" : "; ";
        text += answer.node + ": " + std::string(nameOf(answer.outcome));
        text += answer.ok() ? " " + answer.result.dump() : ", " + answer.error;
    }
    return text;
}

}  // namespace netcluster::scenario
