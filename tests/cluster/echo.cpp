// A server of a cluster as a program: sends back what it gets, until it gets "stop".
//     cluster_echo PID FILE
#include <cstdlib>
#include <iostream>
#include <netcluster/cluster.hpp>

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    try {
        netcluster::cluster::Server server(std::atoll(argv[1]), argv[2]);
        server.start();
        while (auto envelope = server.inbox().receive()) {
            if (envelope->msg == "stop") return 0;
            (void)server.outbox().send(std::move(*envelope));
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
    }
    return 1;
}
