// A daemon played by the test: it speaks when and what the test says. The test's thread is the
// daemon's thread; agents wait for it in theirs.
#pragma once

#include <netcluster/agent.hpp>
#include <optional>
#include <string>
#include <vector>

#include "frame.hpp"

namespace netcluster::testing {

/// One frame an agent sent, in words that compare and print: "subscribe a.*", "event x 1".
struct Said {
    wire::FrameType type{};
    std::string text;
    std::uint64_t number = 0;  ///< id or token
    std::string name;          ///< of an event
    std::uint8_t flags = 0;
};

/// The daemon's end of one connection. Each wait has a deadline and fails the test.
class FakeClient {
  public:
    explicit FakeClient(int socket) : socket_(socket) {}
    FakeClient(FakeClient&& other) noexcept;
    FakeClient& operator=(FakeClient&&) = delete;
    ~FakeClient() { close(); }

    /// The next frame (the first call reads preface and hello).
    Said next();
    /// Frames up to the next sync, in words; remembers its token for `synced`.
    std::vector<std::string> untilSync();
    /// True when the agent closes without another frame.
    bool ended();

    void write(std::string_view bytes) const;
    void welcome(const wire::Welcome& welcome = defaultWelcome());
    void synced();
    /// Hello, subscriptions, welcome, synced: the usual beginning. Returns the subscriptions.
    std::vector<std::string> greet();
    void event(std::string_view name, std::string_view data, std::uint8_t flags = 0) const;
    void close();

    static wire::Welcome defaultWelcome();
    const wire::Hello& hello() const { return hello_; }

  private:
    bool fill();

    int socket_;
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
    std::string endpoint() const { return directory_ + "/A.sock"; }
    const std::string& directory() const { return directory_; }

    FakeClient accept() const;
    /// No more, and again.
    void stopListening();
    void listen();

  private:
    std::string directory_;
    int socket_ = -1;
};

}  // namespace netcluster::testing
