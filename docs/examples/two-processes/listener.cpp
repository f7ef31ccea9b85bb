// Listens on channel A for measurements of other processes and hosts, until it has heard COUNT.
//
//     example_listener [COUNT]        (default 3)
#include <charconv>
#include <future>
#include <iostream>
#include <netcluster/agent.hpp>
#include <string_view>

int countFrom(std::string_view text) {
    int count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    return read.ptr == text.data() + text.size() ? count : 0;
}

int main(int argc, char** argv) try {
    const int wanted = argc > 1 ? countFrom(argv[1]) : 3;
    if (argc > 2 || wanted < 1) {
        std::cerr << "usage: example_listener [COUNT]     COUNT is 1 or more\n";
        return 2;
    }
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
