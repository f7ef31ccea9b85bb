// One process of the flood: `listen DIR CHANNEL EMITTERS` or `emit DIR CHANNEL NUMBER COUNT`.
// A listener says "ready", then waits for the last event of each emitter and says what it counted.
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <netcluster/agent.hpp>
#include <string>

namespace {

using netcluster::Agent;
using netcluster::Emitted;
using netcluster::Event;

struct Number {
    int emitter = 0;
    long n = 0;
};

// "[emitter,n]", as the emitters write it.
Number parsed(std::string_view text) {
    Number number;
    const char* end = text.data() + text.size();
    const auto comma = std::from_chars(text.data() + 1, end, number.emitter);
    std::from_chars(comma.ptr + 1, end, number.n);
    return number;
}

int listen(const std::string& dir, const std::string& channel, int emitters) {
    Agent agent(channel, {.dir = dir});
    std::mutex mutex;
    std::condition_variable changed;
    std::map<int, long> last;
    long received = 0;
    long wrong = 0;
    long gaps = 0;
    int finished = 0;
    agent.on("flood", [&](const Event& event) {
        const Number number = parsed(event.text());
        ++received;
        if (number.n != ++last[number.emitter]) ++wrong;
    });
    agent.on("done", [&](const Event&) {
        const std::lock_guard lock(mutex);
        ++finished;
        changed.notify_one();
    });
    agent.onGap([&](const netcluster::Gap& gap) { gaps += static_cast<long>(gap.count); });
    agent.connect(std::chrono::minutes(1));
    std::cout << "ready" << std::endl;
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return finished == emitters; });
    std::cout << "received " << received << " wrong " << wrong << " gaps " << gaps << std::endl;
    return 0;
}

int emit(const std::string& dir, const std::string& channel, int number, long count) {
    Agent agent(channel, {.dir = dir});
    agent.connect(std::chrono::minutes(1));
    netcluster::Json data = netcluster::Json::array({number, 0});
    for (long n = 1; n <= count; ++n) {
        data[1] = n;
        // A full queue says so; then we wait until the daemon has taken what is there.
        while (agent.emit("flood", data) == Emitted::queueFull) agent.sync(std::chrono::minutes(1));
    }
    while (agent.emit("done") == Emitted::queueFull) agent.sync(std::chrono::minutes(1));
    agent.sync(std::chrono::minutes(1));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string role = argc > 4 ? argv[1] : "";
        if (role == "listen") return listen(argv[2], argv[3], std::atoi(argv[4]));
        if (role == "emit" && argc > 5) {
            return emit(argv[2], argv[3], std::atoi(argv[4]), std::atol(argv[5]));
        }
        std::cerr << "usage: listen DIR CHANNEL EMITTERS | emit DIR CHANNEL NUMBER COUNT\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
