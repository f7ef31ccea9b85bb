// Listens on channel A for measurements of other processes and hosts, until it has heard COUNT.
//
//     example_listener [COUNT]        (default 3)
#include <future>
#include <iostream>
#include <netcluster/agent.hpp>
#include <string>

int main(int argc, char** argv) try {
    const int wanted = argc > 1 ? std::stoi(argv[1]) : 3;
    std::promise<void> done;
    int heard = 0;

    netcluster::Agent agent("A");
    agent.on("sensor\\..*", [&](const netcluster::Event& event) {
        std::cout << event.name() << " = " << event.data() << " from "
                  << (event.host().empty() ? "this host" : event.host()) << std::endl;
        if (++heard == wanted) done.set_value();
    });
    agent.connect();
    std::cout << "listening" << std::endl;
    done.get_future().wait();
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
