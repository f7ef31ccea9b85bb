// Emitting within one process: netcluster's agent and what else a C++ program would use, all with
// the same names, the same data, and listeners that do the same. Names of benchmarks are
// `work/series`, as the runner reads them. $NETCLUSTER_DIR names a daemon that runs, with a channel
// `bench0`.
#include <benchmark/benchmark.h>
#include <re2/re2.h>

#include <boost/signals2/signal.hpp>
#include <functional>
#include <memory>
#include <netcluster/agent.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace netcluster::bench {
namespace {

using Repeat = benchmark::State;

const std::string name = "log.bench";
const Json data = {{"celsius", 21.5}};
constexpr int otherNames = 100;

std::string otherName(int number) {
    return "other.event" + std::to_string(number);
}

/// Of each thread its own: listeners must not be what threads contend for.
thread_local std::uint64_t heard = 0;

/// What a plain emitter hands to its listeners: the same that netcluster's see.
class PlainEvent {
  public:
    PlainEvent(const std::string& eventName, const Json& eventData)
        : name_(eventName), data_(eventData) {}
    const std::string& name() const { return name_; }
    const Json& data() const { return data_; }

  private:
    const std::string& name_;
    const Json& data_;
};
using PlainHandler = std::function<void(const PlainEvent&)>;

auto listener(int weight) {
    return [weight](const auto& event) {
        heard += static_cast<std::uint64_t>(weight) + event.data().size();
    };
}

/// The least that is an emitter. Not thread safe.
class PlainEmitter {
  public:
    void on(const std::string& event, PlainHandler handler) {
        handlers_[event].push_back(std::move(handler));
    }
    void emit(const std::string& event, const Json& value) const {
        const auto found = handlers_.find(event);
        if (found == handlers_.end()) return;
        const PlainEvent made(event, value);
        for (const PlainHandler& handler : found->second) handler(made);
    }

  private:
    std::unordered_map<std::string, std::vector<PlainHandler>> handlers_;
};

/// A signal for each name. Thread safe, as long as nobody adds a name.
class SignalEmitter {
  public:
    void on(const std::string& event, const PlainHandler& handler) {
        signals_[event].connect(handler);
    }
    void emit(const std::string& event, const Json& value) const {
        const auto found = signals_.find(event);
        if (found != signals_.end()) found->second(PlainEvent(event, value));
    }

  private:
    std::unordered_map<std::string, boost::signals2::signal<void(const PlainEvent&)>> signals_;
};

/// Regular expressions, tried once for each name. Not thread safe.
class MemoisedEmitter {
  public:
    void on(const std::string& pattern, PlainHandler handler) {
        listeners_.push_back({std::make_unique<RE2>(pattern), std::move(handler)});
        memo_.clear();
    }
    void emit(const std::string& event, const Json& value) {
        auto known = memo_.find(event);
        if (known == memo_.end()) known = memo_.emplace(event, matching(event)).first;
        const PlainEvent made(event, value);
        for (const PlainHandler* handler : known->second) (*handler)(made);
    }

  private:
    struct Listener {
        std::unique_ptr<RE2> pattern;
        PlainHandler handler;
    };
    std::vector<const PlainHandler*> matching(const std::string& event) const {
        std::vector<const PlainHandler*> found;
        for (const Listener& each : listeners_) {
            if (RE2::FullMatch(event, *each.pattern)) found.push_back(&each.handler);
        }
        return found;
    }
    std::vector<Listener> listeners_;
    std::unordered_map<std::string, std::vector<const PlainHandler*>> memo_;
};

/// Agents of one channel hear each other: each has a channel of its own.
struct LocalAgent : Agent {
    LocalAgent() : Agent("local" + std::to_string(++made)) {}
    static inline int made = 0;
};
struct ConnectedAgent : Agent {
    ConnectedAgent() : Agent("bench0") {}
};

/// All names have been seen before when the measuring begins.
template <typename Emitter>
void see(Emitter& emitter) {
    for (int i = 0; i < otherNames; ++i) emitter.emit(otherName(i), data);
}

template <typename Emitter>
std::shared_ptr<Emitter> withNames(int listeners) {
    auto emitter = std::make_shared<Emitter>();
    for (int i = 0; i < otherNames; ++i) emitter->on(otherName(i), listener(i));
    for (int i = 0; i < listeners; ++i) emitter->on(name, listener(i));
    see(*emitter);
    return emitter;
}

template <typename Emitter>
std::shared_ptr<Emitter> withPatterns(int patterns) {
    auto emitter = std::make_shared<Emitter>();
    for (int i = 0; i < patterns; ++i) {
        // One of them matches.
        const std::string service = i == patterns / 2 ? "log" : "service" + std::to_string(i);
        emitter->on(service + "\\.(bench|stop).*", listener(i));
    }
    see(*emitter);
    return emitter;
}

template <typename Emitter>
void emitAll(Repeat& state, Emitter& emitter, const std::string& event) {
    for (auto _ : state) emitter.emit(event, data);
    benchmark::DoNotOptimize(heard);
}

/// Each benchmark makes its emitter when it begins, so that not all of them live at once.
template <typename Emitter>
void add(const std::string& work, const std::string& series,
         std::function<std::shared_ptr<Emitter>()> make, const std::string& event = name) {
    const auto run = [=](Repeat& state) {
        const auto emitter = make();
        emitAll(state, *emitter, event);
    };
    benchmark::RegisterBenchmark((work + '/' + series).c_str(), run);
}

void addNames() {
    for (const int count : {1, 10}) {
        const std::string work =
            std::to_string(count) + (count == 1 ? " listener" : " listeners") + " among 101 names";
        add<LocalAgent>(work, "netcluster", [=] { return withNames<LocalAgent>(count); });
        add<PlainEmitter>(work, "unordered_map", [=] { return withNames<PlainEmitter>(count); });
        add<SignalEmitter>(work, "signals2", [=] { return withNames<SignalEmitter>(count); });
        add<MemoisedEmitter>(work, "memoised RE2",
                             [=] { return withNames<MemoisedEmitter>(count); });
    }
    const std::string nobody = "nobody listens";
    add<LocalAgent>(
        nobody, "netcluster", [] { return withNames<LocalAgent>(1); }, "unheard");
    add<PlainEmitter>(
        nobody, "unordered_map", [] { return withNames<PlainEmitter>(1); }, "unheard");
    add<SignalEmitter>(
        nobody, "signals2", [] { return withNames<SignalEmitter>(1); }, "unheard");
    add<MemoisedEmitter>(
        nobody, "memoised RE2", [] { return withNames<MemoisedEmitter>(1); }, "unheard");
}

void addPatterns() {
    for (const int count : {100, 1000}) {
        const std::string work = std::to_string(count) + " patterns, 1 matches";
        add<LocalAgent>(work, "netcluster", [=] { return withPatterns<LocalAgent>(count); });
        add<MemoisedEmitter>(work, "memoised RE2",
                             [=] { return withPatterns<MemoisedEmitter>(count); });
    }
}

/// One emitter for both threads. It is made before they start and let go when all is over.
template <typename Emitter>
void addShared(const std::string& work, const std::string& series) {
    const auto emitter = withNames<Emitter>(1);
    benchmark::RegisterBenchmark((work + '/' + series).c_str(),
                                 [emitter](Repeat& state) { emitAll(state, *emitter, name); })
        ->Threads(2)
        ->UseRealTime();
}

void addThreads() {
    const std::string work = "2 threads at once";
    addShared<LocalAgent>(work, "netcluster");
    addShared<SignalEmitter>(work, "signals2");
    // What the machine gives to two threads that share nothing.
    benchmark::RegisterBenchmark((work + "/unordered_map each").c_str(),
                                 [](Repeat& state) {
                                     const auto own = withNames<PlainEmitter>(1);
                                     emitAll(state, *own, name);
                                 })
        ->Threads(2)
        ->UseRealTime();
}

/// Connected, but nobody elsewhere listens. What the queue did not take is counted, for an event
/// thrown away is no event emitted.
void addConnected() {
    benchmark::RegisterBenchmark("connected, 1 listener here/netcluster", [](Repeat& state) {
        const auto agent = withNames<ConnectedAgent>(1);
        agent->connect();
        std::uint64_t full = 0;
        for (auto _ : state) full += agent->emit(name, data) == Emitted::queueFull;
        state.counters["full"] = static_cast<double>(full);
        benchmark::DoNotOptimize(heard);
    });
}

}  // namespace
}  // namespace netcluster::bench

int main(int count, char** words) {
    netcluster::bench::addNames();
    netcluster::bench::addPatterns();
    netcluster::bench::addThreads();
    netcluster::bench::addConnected();
    benchmark::Initialize(&count, words);
    if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
    benchmark::RunSpecifiedBenchmarks();
}
