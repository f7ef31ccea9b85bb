// hold: connections and subscriptions that nothing is ever published to.
#include <iostream>
#include <vector>

#include "roles.hpp"

namespace netcluster::bench {

int hold(Bus& bus, const Options& options) {
    const std::size_t connections = options.number("conns", 1);
    const std::size_t each = options.number("each", 1);
    const std::string suffix = options.text("suffix");
    std::atomic<std::uint64_t> strays{0};
    std::vector<std::unique_ptr<Link>> links;
    std::size_t serial = options.number("first", 0);
    while (links.size() < connections) {
        links.push_back(bus.connect([&strays](std::string_view) { ++strays; }));
        for (std::size_t i = 0; i < each; ++i) {
            links.back()->subscribe("log.n" + std::to_string(serial++) + suffix);
        }
    }
    for (const auto& link : links) link->settle();
    const Control control(bus);
    while (!control.stopped()) bus.poll(200);
    std::cout << "strays=" << strays << std::endl;
    return 0;
}

}  // namespace netcluster::bench
