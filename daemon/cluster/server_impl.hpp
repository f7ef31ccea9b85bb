// What is behind the faces of <netcluster/cluster.hpp>: the queues of the program, the Post that
// decides, the daemon and agent that carry, and one thread that fits them together. The agent's
// thread tells the Post what has come; everything that is emitted, the Server's own thread emits,
// so that it keeps its order.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "embedded.hpp"
#include "message_queue.hpp"
#include "post.hpp"

namespace netcluster::cluster {

using Clock = std::chrono::steady_clock;
using Lock = std::unique_lock<std::mutex>;

class Outbox::Impl {
  public:
    explicit Impl(std::size_t limit) : queue(limit, false) {}

    Sent send(Envelope envelope, std::optional<Time> until);
    bool known(Pid pid) const { return pid == BROADCAST || others.contains(pid); }

    std::string file;
    std::set<Pid> others;
    MessageQueue queue;
};

class Inbox::Impl {
  public:
    explicit Impl(std::size_t limit) : queue(limit, false) {}

    std::optional<Envelope> receive(std::optional<Time> until);

    MessageQueue queue;
};

class Server::Impl {
  public:
    Impl(Pid pid, const std::string& peersFile, Options options);
    ~Impl() { stop(); }

    void start();
    void stop();
    void setBlacklist(const std::vector<Pid>& pids);

    Pid pid() const { return file_.own.pid; }
    std::vector<Pid> peers() const { return {out_.others.begin(), out_.others.end()}; }
    std::vector<Pid> online() const {
        const Lock lock(mutex_);
        return post_ ? post_->online() : std::vector<Pid>();
    }
    std::vector<Pid> blacklist() const {
        const Lock lock(mutex_);
        return {blacklist_.begin(), blacklist_.end()};
    }
    Counters counters() const;

  private:
    void listen(const std::string& name);
    void onPresence(const Presence& who);
    void onHello(const Event& event);
    void onAck(const Event& event, const std::string& name);
    void onEnvelope(const Event& event);
    void onMalformed(const Event& event);
    void wake();

    void work();
    bool workOnce(Lock& lock);
    void refuse(Lock& lock, const Envelope& envelope);
    void wait(Lock& lock);
    void emit(const Post::Outgoing& out);
    void tell(Lock& lock);
    bool over() const;
    void complain(const std::string& what);
    void refuseInHandler(const char* what) const;

    /// While it lives this thread runs a handler of the server.
    class Handling {
      public:
        explicit Handling(const Impl& server) : before_(std::exchange(handling, &server)) {}
        ~Handling() { handling = before_; }
        Handling(const Handling&) = delete;
        Handling& operator=(const Handling&) = delete;

      private:
        const Impl* before_;
    };
    static thread_local const Impl* handling;

    const Options options_;
    const PeersFile file_;
    Outbox::Impl out_;
    Inbox::Impl in_;

    std::mutex life_;  ///< of start and stop
    std::unique_ptr<Embedded> embedded_;
    std::thread thread_;

    mutable std::mutex mutex_;  ///< of all that follows
    std::condition_variable changed_;
    std::unique_ptr<Post> post_;
    std::set<Pid> blacklist_;
    Counters before_;  ///< of earlier starts
    std::uint64_t gaps_ = 0;
    std::uint64_t malformed_ = 0;
    std::set<Pid> malformedFrom_;  ///< BROADCAST: some who are not in the file
    bool woken_ = false;
    std::optional<Time> stopBy_;

  public:
    Outbox outbox;
    Inbox inbox;
    std::function<void(const Undelivered&)> onUndelivered;
    std::function<void(const std::string&)> onError;
};

}  // namespace netcluster::cluster
