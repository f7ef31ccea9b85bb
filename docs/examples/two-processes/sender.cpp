// Emits COUNT measurements on channel A.
//
//     example_sender [COUNT]          (default 3)
#include <charconv>
#include <iostream>
#include <netcluster/agent.hpp>
#include <string_view>

int countFrom(std::string_view text) {
    int count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    return read.ptr == text.data() + text.size() ? count : 0;
}

int main(int argc, char** argv) try {
    const int count = argc > 1 ? countFrom(argv[1]) : 3;
    if (argc > 2 || count < 1) {
        std::cerr << "usage: example_sender [COUNT]     COUNT is 1 or more\n";
        return 2;
    }
    netcluster::Agent agent("A");
    agent.connect();
    for (int i = 0; i < count; ++i) {
        agent.emit("sensor.temperature", {{"celsius", 20 + i}});
    }
    agent.sync();  // the daemon has them; without this the program could end before they are sent
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
