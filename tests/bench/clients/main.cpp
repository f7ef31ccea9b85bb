// bench_<client> ADDRESS ROLE [key=value …]
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <thread>

#include "roles.hpp"

namespace netcluster::bench {

Control::Control(Bus& bus) {
    std::thread([state = state_, &bus] {
        for (std::string line; std::getline(std::cin, line);) {
            if (line == "go") state->started = true;
            if (line.starts_with("expect ")) state->published = std::stoll(line.substr(7));
            bus.wake();
        }
        state->started = state->stopped = true;
        bus.wake();
    }).detach();
    std::cout << "READY" << std::endl;
}

void Control::await(Bus& bus, std::int64_t patience, const std::function<std::uint64_t()>& received,
                    const std::function<std::uint64_t(std::uint64_t)>& expected) const {
    std::uint64_t seen = 0;
    std::int64_t changed = nowNanoseconds();
    while (!stopped()) {
        bus.poll(20);
        const std::uint64_t count = received();
        const std::int64_t now = nowNanoseconds();
        if (count != seen || published() < 0) {
            seen = count;
            changed = now;
        }
        if (published() >= 0 && (count >= expected(static_cast<std::uint64_t>(published())) ||
                                 now - changed > patience)) {
            return;
        }
    }
}

namespace {

struct Role {
    std::string_view name;
    int (*run)(Bus&, const Options&);
};
constexpr Role roles[] = {{"pub", publish}, {"sub", subscribe}, {"tick", tick}, {"watch", watch},
                          {"ping", ping},   {"pong", pong},     {"hold", hold}};

int run(int count, char** words) {
    if (count >= 3) {
        const Options options(count, words, 3);
        for (const Role& role : roles) {
            if (role.name == words[2]) return role.run(*makeBus(words[1], options), options);
        }
    }
    std::cerr << "usage: " << words[0]
              << " ADDRESS pub|sub|tick|watch|ping|pong|hold [key=value …]\n";
    return 2;
}

}  // namespace
}  // namespace netcluster::bench

int main(int count, char** words) {
    int status = 1;
    try {
        status = netcluster::bench::run(count, words);
    } catch (const std::exception& error) {
        std::cerr << words[0] << ": " << error.what() << std::endl;
    }
    std::cout.flush();
    _exit(status);  // the thread of Control may still be inside getline
}
