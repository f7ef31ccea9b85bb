// A server of a cluster that greets all others, and prints what they send until nothing has come
// for 10 s.
//
//     example_envelopes PID FILE
#include <iostream>
#include <netcluster/cluster.hpp>

#include "../number.hpp"

int main(int argc, char** argv) try {
    namespace cluster = netcluster::cluster;
    const auto pid = argc == 3 ? numberFrom<cluster::Pid>(argv[1]) : std::nullopt;
    if (!pid) {
        if (argc == 3) std::cerr << argv[1] << " is not a pid: a whole number\n";
        std::cerr << "usage: example_envelopes PID FILE\n";
        return 2;
    }
    cluster::Server server(*pid, argv[2]);
    server.onUndelivered([](const cluster::Undelivered& lost) {
        std::cerr << lost.msgId << " for " << lost.pid << ": " << nameOf(lost.why) << '\n';
    });
    server.start();
    if (server.outbox().send({cluster::BROADCAST, 1729, "Hi there!"}) != cluster::Sent::accepted) {
        return 1;
    }
    while (const auto envelope = server.inbox().receive(std::chrono::seconds(10))) {
        std::cout << envelope->pid << " says " << envelope->msg << std::endl;
    }
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
