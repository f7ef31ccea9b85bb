// The smallest program: one process, no daemon needed. Listeners of the same process are called
// directly.
#include <iostream>
#include <netcluster/agent.hpp>

int main() {
    netcluster::Agent agent("A");
    agent.on("greet\\..*", [](const netcluster::Event& event) {
        std::cout << event.name() << ": " << event.data()["text"].get<std::string>() << '\n';
    });
    agent.emit("greet.world", {{"text", "hello"}});
}
