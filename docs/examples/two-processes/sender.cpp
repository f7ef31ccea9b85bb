// Emits COUNT measurements on channel A.
//
//     example_sender [COUNT]          (default 3)
#include <iostream>
#include <netcluster/agent.hpp>
#include <string>

int main(int argc, char** argv) try {
    const int count = argc > 1 ? std::stoi(argv[1]) : 3;
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
