// The tour that service/quickstart.sh runs: agents on two hosts, and for each way an event can
// take, who heard it and why. Two run directories stand for two hosts; a daemon runs in each.
//
//     example_tour RUNDIR_ALPHA RUNDIR_BETA
//
// Exits 0 only when everybody heard exactly what the rules say.
#include <condition_variable>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <netcluster/agent.hpp>
#include <set>
#include <string>
#include <vector>

using netcluster::Agent;
using netcluster::Event;

namespace {

constexpr auto patience = std::chrono::seconds(10);

// Who heard which event. Listeners write it from their agents' threads.
class Notebook {
  public:
    void write(const std::string& who, const Event& event) {
        const std::lock_guard lock(mutex_);
        heard_[std::string(event.name())].insert(who);
        changed_.notify_all();
    }
    bool waitFor(const std::string& event, const std::set<std::string>& who) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] {
            const auto& heard = heard_[event];
            return std::includes(heard.begin(), heard.end(), who.begin(), who.end());
        });
    }
    std::set<std::string> whoHeard(const std::string& event) {
        const std::lock_guard lock(mutex_);
        return heard_[event];
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::set<std::string>> heard_;
};

std::string joined(const std::set<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "nobody" : text;
}

// One agent, its name in the notebook, and where it sits.
std::unique_ptr<Agent> seat(Notebook& notebook, const std::string& dir, const std::string& channel,
                            const std::string& who) {
    auto agent = std::make_unique<Agent>(channel, netcluster::Options{.dir = dir, .name = who});
    agent->on(".*", [&notebook, who](const Event& event) { notebook.write(who, event); });
    agent->connect();
    return agent;
}

struct Step {
    const char* title;
    const char* event;
    const char* channel;  // of host alpha, where it is emitted
    bool broadcast;
    std::set<std::string> expected;
    const char* why;
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::cerr << "usage: example_tour RUNDIR_ALPHA RUNDIR_BETA\n";
        return 2;
    }
    const std::string alpha = argv[1], beta = argv[2];
    Notebook notebook;

    // The agents of one process share a connection and hear each other in memory. Those on other
    // channels, and those of the other host, are reached through the daemons.
    std::map<std::string, std::unique_ptr<Agent>> agents;
    for (const char* channel : {"sensors", "display", "private"}) {
        for (const auto& [host, dir] : {std::pair{"alpha", alpha}, std::pair{"beta", beta}}) {
            const std::string who = std::string(host) + "/" + channel;
            agents[who] = seat(notebook, dir, channel, who);
        }
    }
    Agent second("sensors", {.dir = alpha});
    second.on("temperature",
              [&](const Event& event) { notebook.write("alpha/sensors #2", event); });
    second.connect();

    const Step steps[] = {
        {"in process, other channel, other host",
         "temperature",
         "sensors",
         false,
         {"alpha/sensors", "alpha/sensors #2", "alpha/display", "beta/sensors", "beta/display"},
         "sensors propagates to display and to the net; on beta the same rule holds"},
        {"a name the link does not let through",
         "debug",
         "sensors",
         false,
         {"alpha/sensors", "alpha/display"},
         "propagatetonet lets only temperature.* and fence.* leave the host"},
        {"a refused route",
         "secret",
         "private",
         false,
         {"alpha/private"},
         "private propagates nowhere"},
        {"a broadcast",
         "alarm",
         "private",
         true,
         {"alpha/private", "alpha/sensors", "alpha/display", "beta/private", "beta/sensors",
          "beta/display"},
         "broadcast goes to every channel of every host, whatever the rules say"},
    };
    bool good = true;
    int round = 0;
    for (const Step& step : steps) {
        agents["alpha/" + std::string(step.channel)]->emit(step.event, {{"celsius", 21.5}},
                                                           {.broadcast = step.broadcast});
        // To know who does not hear it, not only who does: a fence behind it, which everybody
        // hears.
        const std::string fence = "fence." + std::to_string(++round);
        agents["alpha/" + std::string(step.channel)]->emit(fence, nullptr, {.broadcast = true});
        const bool arrived =
            notebook.waitFor(step.event, step.expected) &&
            notebook.waitFor(fence, {"alpha/private", "alpha/sensors", "alpha/display",
                                     "beta/private", "beta/sensors", "beta/display"});
        const auto heard = notebook.whoHeard(step.event);
        const bool right = arrived && heard == step.expected;
        good = good && right;
        std::cout << step.title << "\n  emit \"" << step.event << "\" on alpha/" << step.channel
                  << (step.broadcast ? " (broadcast)" : "") << "\n  heard by: " << joined(heard)
                  << "\n  because:  " << step.why << '\n';
        if (!right) std::cout << "  EXPECTED: " << joined(step.expected) << '\n';
    }
    return good ? 0 : 1;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
