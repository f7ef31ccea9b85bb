// A daemon played by the test: it speaks when and what the test says. The test's thread is the
// daemon's thread; agents wait for it in theirs.
#pragma once

#include <memory>
#include <netcluster/agent.hpp>
#include <string>
#include <vector>

#include "frame.hpp"
#include "stream.hpp"

namespace netcluster::testing {

/// One frame an agent sent, in words that compare and print: "subscribe a.*", "event x 1".
struct Said {
    wire::FrameType type{};
    std::string text;
    std::uint64_t number = 0;  ///< id or token
    std::string name;          ///< of an event
    std::string id;            ///< of an event
    std::uint8_t flags = 0;
};

/// The daemon's end of one connection. Each wait has a deadline and fails the test. Must end before
/// the FakeDaemon does.
class FakeClient {
  public:
    FakeClient(boost::asio::io_context& io, local::Stream stream);
    FakeClient(FakeClient&& other) noexcept = default;
    FakeClient& operator=(FakeClient&&) = delete;

    /// The next frame (the first call reads preface and hello).
    Said next();
    /// Frames up to the next sync, in words; remembers its token for `synced`.
    std::vector<std::string> untilSync();
    /// True when the agent closes without another frame.
    bool ended();

    void write(std::string_view bytes);
    void welcome(const wire::Welcome& welcome = defaultWelcome());
    void synced();
    /// Hello, subscriptions, welcome, synced: the usual beginning. Returns the subscriptions.
    std::vector<std::string> greet();
    void event(std::string_view name, std::string_view data, std::uint8_t flags = 0,
               std::string_view id = {});
    void close();

    static wire::Welcome defaultWelcome();
    const wire::Hello& hello() const { return hello_; }

  private:
    bool fill();

    boost::asio::io_context* io_;
    local::Stream stream_;
    std::string buffer_;
    bool greeted_ = false;
    std::uint64_t token_ = 0;
    wire::Hello hello_;
};

/// A directory with the endpoint of channel A.
class FakeDaemon {
  public:
    FakeDaemon();
    ~FakeDaemon();
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;

    /// Options that lead an agent here.
    Options options() const;
    std::string endpoint() const;

    FakeClient accept() const;
    /// No more, and again.
    void stopListening();
    void listen();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace netcluster::testing
