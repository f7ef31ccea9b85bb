// Streams of numbered events between hosts, faster than raw clients of the scenarios: what a host
// emits, and what a listener elsewhere makes of it. Every event says its number and its size and is
// filled by them, so that one that is missing, doubled, late, or not what was emitted is noticed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "clients.hpp"
#include "harness.hpp"

namespace netcluster::scenario {

/// As many as the test is meant for, less in slow builds (a twentieth under sanitizers), or the
/// share that the environment's NETCLUSTER_TEST_SCALE says, such as 0.1.
std::uint64_t scaled(std::uint64_t full);

/// How large the events of a stream are.
struct Shape {
    std::size_t size = 100;
    std::size_t largeSize = 8192;
    std::uint64_t largeEvery = 0;  ///< each so manieth is large; 0: none
};

/// The data of event `number` of this size, which is at least 12.
std::string numbered(std::uint64_t number, std::size_t size);

/// Emits a stream: events of the stream's name, numbered from 0. One thread at a time.
class Emitter {
  public:
    Emitter(const std::string& socket, std::string stream, Shape shape = {});
    /// The next `count`, as fast as the daemon takes them.
    void emit(std::uint64_t count);
    /// Tells those who listen how many there were.
    void fence();
    const std::string& stream() const { return stream_; }
    std::uint64_t emitted() const { return emitted_; }

  private:
    void append(const std::string& event, const std::string& data);
    void send();

    BinaryClient client_;
    std::string stream_;
    Shape shape_;
    std::string bytes_;
    std::atomic<std::uint64_t> emitted_ = 0;
};

/// Emits a stream on a thread of its own until it is stopped.
class Flow {
  public:
    /// `perSecond` 0: as fast as the daemon takes them.
    Flow(Emitter& emitter, std::uint64_t perSecond);
    ~Flow();
    void stop();  ///< throws what went wrong meanwhile

  private:
    void run(std::uint64_t perSecond);

    Emitter& emitter_;
    std::atomic<bool> stopping_ = false;
    std::exception_ptr error_;
    std::thread thread_;
};

/// What a listener knows of one stream.
struct Heardof {
    std::uint64_t received = 0;
    std::uint64_t first = 0;     ///< number of the first event heard
    std::uint64_t next = 0;      ///< the number expected now
    std::uint64_t holes = 0;     ///< times that numbers were missing
    std::uint64_t missing = 0;   ///< numbers missing in all
    std::uint64_t repeated = 0;  ///< events whose number had passed: doubled, or out of order
    std::uint64_t wrong = 0;     ///< events that nobody emitted like that
    std::uint64_t fenced = 0;    ///< the highest count that a fence told
    std::uint64_t told = 0;      ///< nc-net-gap since the last event; streams are named as hosts
    std::uint64_t untold = 0;    ///< holes without such a word at their place
};
std::ostream& operator<<(std::ostream& out, const Heardof& heard);

/// A listener that keeps up, on a thread of its own.
class Collector {
  public:
    /// Hears these streams, each expected from number 0; or everything, and counts what else it is.
    enum class Hears { theseOnly, everything };
    Collector(const std::string& socket, const std::vector<std::string>& streams,
              Hears hears = Hears::theseOnly);
    ~Collector();
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    Heardof of(const std::string& stream) const;
    std::uint64_t received() const;
    /// Events that our own daemon dropped for this client. Must be none for the rest to mean
    /// anything.
    std::uint64_t lostAtHome() const;
    /// Events of no stream, and not the daemon's own.
    std::uint64_t strange() const;
    /// Waits; false when the time is up.
    bool waitFor(const std::string& stream, const std::function<bool(const Heardof&)>& done,
                 std::chrono::milliseconds time) const;

  private:
    void greet(const std::vector<std::string>& patterns);
    void run();
    bool readMore(std::string& buffer);
    void take(const wire::FrameView& frame);
    void takeEvent(const wire::EventView& event);
    void takeGap(const wire::EventView& event);
    void takeFence(Heardof& heard, const wire::EventView& event);

    Connection connection_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<std::string, Heardof, std::less<>> streams_;
    std::uint64_t lostAtHome_ = 0;
    std::uint64_t strange_ = 0;
    bool ready_ = false;
    std::string ended_;  ///< why the thread has ended
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

/// Fences until each of `collectors` has heard how many events `emitter` has emitted: by then it
/// has all of them, or never will.
void settle(Emitter& emitter, const std::vector<Collector*>& collectors);

/// Returns when `done` says so; throws when it does not come to that. `what` names it.
void await(const std::string& what, const std::function<bool()>& done);

}  // namespace netcluster::scenario
