// Server: the queues of the program, the Post that decides, the daemon and agent that carry, and
// one thread that fits them together. The agent's thread tells the Post what has come; everything
// that is emitted, the Server's own thread emits, so that it keeps its order.
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "embedded.hpp"
#include "message_queue.hpp"
#include "post.hpp"

namespace netcluster::cluster {
namespace {

using Clock = std::chrono::steady_clock;
using Lock = std::unique_lock<std::mutex>;

// 64 random bits: a start has a name of its own.
std::string newName(Pid pid) {
    std::random_device random;
    char text[48];
    std::snprintf(text, sizeof text, "%lld-%08x%08x", static_cast<long long>(pid), random(),
                  random());
    return text;
}

std::string lineOf(const Gap& gap) {
    if (gap.why == Gap::Why::slow) {
        return std::to_string(gap.count) + " events were lost: this process did not keep up";
    }
    return "something of server " + gap.host + " was lost on the way, and cannot be had any more";
}

std::string lineOf(const std::vector<Undelivered>& all) {
    const Undelivered& last = all.back();
    return std::to_string(all.size()) + " envelopes were not delivered; the last one, " +
           std::to_string(last.msgId) + " for server " + std::to_string(last.pid) + ": " +
           std::string(nameOf(last.why));
}

// What the handler has thrown is no reason to end the program.
std::string whatThrown() {
    try {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "something that is not a std::exception";
    }
}

}  // namespace

class Outbox::Impl {
  public:
    explicit Impl(std::size_t limit) : queue(limit, false) {}

    Sent send(Envelope envelope, std::optional<Clock::time_point> until) {
        if (!known(envelope.pid)) {
            throw Error(file + ": no other server has pid " + std::to_string(envelope.pid));
        }
        std::size_t bytes = 0;
        try {
            bytes = envelope.msg.dump().size();
        } catch (const Json::exception&) {
            throw Error("the message holds text that is not UTF-8");
        }
        if (bytes > maxMessage) {
            throw Error("a message of " + std::to_string(bytes) + " bytes; at most " +
                        std::to_string(maxMessage) + " can be sent");
        }
        return queue.put({std::move(envelope), bytes}, until);
    }

    bool known(Pid pid) const { return pid == BROADCAST || others.contains(pid); }

    std::string file;
    std::set<Pid> others;
    MessageQueue queue;
};

class Inbox::Impl {
  public:
    explicit Impl(std::size_t limit) : queue(limit, false) {}

    std::optional<Envelope> receive(std::optional<Clock::time_point> until) {
        auto item = queue.take(until);
        if (!item) return {};
        return std::move(item->envelope);
    }

    MessageQueue queue;
};

class Server::Impl {
  public:
    Impl(Pid pid, const std::string& peersFile, Options options)
        : options_(std::move(options)),
          file_(readPeers(peersFile, pid)),
          out_(options_.outboxLimit),
          in_(options_.inboxLimit),
          outbox(out_),
          inbox(in_) {
        out_.file = file_.name;
        for (const PeerEntry& peer : file_.others) out_.others.insert(peer.pid);
        out_.queue.onChange([this] { wake(); });
        in_.queue.onChange([this] { wake(); });
        onError = [pid](const std::string& what) {
            std::fprintf(stderr, "netcluster: server %lld: %s\n", static_cast<long long>(pid),
                         what.c_str());
        };
    }
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
    void onEnvelope(const Event& event);
    void wake();

    void work();
    bool workOnce(Lock& lock);
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
    bool woken_ = false;
    std::optional<Time> stopBy_;

  public:
    Outbox outbox;
    Inbox inbox;
    std::function<void(const Undelivered&)> onUndelivered;
    std::function<void(const std::string&)> onError;
};

thread_local const Server::Impl* Server::Impl::handling = nullptr;

// -- start and stop ----------------------------------------------------------------------------

// Both wait for the thread that runs the handler.
void Server::Impl::refuseInHandler(const char* what) const {
    if (handling != this) return;
    throw Error(std::string(what) + " must not be called from a handler of the server");
}

void Server::Impl::start() {
    refuseInHandler("start");
    const std::lock_guard life(life_);
    if (embedded_) {
        throw Error("server " + std::to_string(pid()) + " of " + file_.name + " runs already");
    }
    const std::string name = newName(pid());
    auto embedded = std::make_unique<Embedded>(file_, name, options_);
    {
        const Lock lock(mutex_);
        post_ = std::make_unique<Post>(name, peers(),
                                       Post::Limits{options_.holdTime, options_.holdLimit});
        post_->setBlacklist(blacklist_);
        stopBy_.reset();
    }
    embedded_ = std::move(embedded);
    try {
        listen(name);
        embedded_->agent().connect();
    } catch (...) {
        embedded_.reset();
        throw;
    }
    in_.queue.open();
    out_.queue.open();
    thread_ = std::thread([this] { work(); });
}

void Server::Impl::stop() {
    refuseInHandler("stop");
    const std::lock_guard life(life_);
    if (!embedded_) return;
    out_.queue.close();
    {
        const Lock lock(mutex_);
        stopBy_ = Clock::now() + options_.linger;
    }
    wake();
    thread_.join();
    embedded_.reset();  // from here on no listener runs
    in_.queue.close();
    const Lock lock(mutex_);
    const Counters last = post_->counters();
    before_.sent += last.sent;
    before_.confirmed += last.confirmed;
    before_.undelivered += last.undelivered;
    before_.received += last.received;
    before_.ignored += last.ignored;
    post_.reset();
}

Counters Server::Impl::counters() const {
    const Lock lock(mutex_);
    Counters sum = before_;
    sum.gaps = gaps_;
    if (!post_) return sum;
    const Counters now = post_->counters();
    sum.sent += now.sent;
    sum.confirmed += now.confirmed;
    sum.undelivered += now.undelivered;
    sum.received += now.received;
    sum.ignored += now.ignored;
    return sum;
}

void Server::Impl::setBlacklist(const std::vector<Pid>& pids) {
    for (const Pid pid : pids) {
        if (out_.others.contains(pid)) continue;
        throw Error(file_.name + ": no other server has pid " + std::to_string(pid));
    }
    {
        const Lock lock(mutex_);
        blacklist_ = {pids.begin(), pids.end()};
        if (post_) post_->setBlacklist(blacklist_);
    }
    wake();
}

// -- what comes: the agent's thread ------------------------------------------------------------

void Server::Impl::listen(const std::string& name) {
    Agent& agent = embedded_->agent();
    constexpr ListenOptions others{.skipOwn = true};
    agent.onPresence([this](const Presence& who) { onPresence(who); });
    agent.onGap([this](const Gap& gap) {
        {
            const Lock lock(mutex_);
            ++gaps_;
        }
        complain(lineOf(gap));
    });
    agent.onError([this](const std::string& what) { complain(what); });
    agent.on(
        std::string(Post::hello),
        [this](const Event& event) {
            const auto heard = event.data().at("heard").get<std::vector<std::string>>();
            const Lock lock(mutex_);
            post_->onHello(Clock::now(), std::string(event.host()), heard);
            woken_ = true;
            changed_.notify_one();
        },
        others);
    agent.on(
        std::string(Post::ack),
        [this, name](const Event& event) {
            const Json& upTo = event.data().at("upTo");
            const auto own = upTo.find(name);
            if (own == upTo.end()) return;
            const Lock lock(mutex_);
            post_->onAck(Clock::now(), std::string(event.host()), own->get<std::uint64_t>());
            woken_ = true;
            changed_.notify_one();
        },
        others);
    agent.on(
        "envelope\\.(all|" + std::to_string(pid()) + ")",
        [this](const Event& event) { onEnvelope(event); }, others);
}

void Server::Impl::onPresence(const Presence& who) {
    {
        const Lock lock(mutex_);
        if (who.kind == Presence::Kind::hostOnline) {
            post_->onOnline(Clock::now(), who.name);
        } else if (who.kind == Presence::Kind::hostExpired) {
            post_->onExpired(Clock::now(), who.name, who.reason != "silent");
        }
    }
    wake();
}

void Server::Impl::onEnvelope(const Event& event) {
    const std::string from(event.host());
    const auto sender = pidOfName(from);
    if (!sender) return;
    Json data = Json::parse(event.text());  // ours to take apart
    const auto notFor = data.value("not", std::vector<Pid>());
    const auto serial = data.at("serial").get<std::uint64_t>();
    Envelope envelope{*sender, data.at("msgId").get<std::int64_t>(), std::move(data.at("msg"))};
    const std::size_t bytes = event.text().size();
    bool wanted = false;
    {
        const Lock lock(mutex_);
        wanted = post_->onEnvelope(Clock::now(), from, serial, bytes, notFor);
    }
    if (wanted) in_.queue.force({std::move(envelope), bytes});
    wake();
}

void Server::Impl::wake() {
    const Lock lock(mutex_);
    woken_ = true;
    changed_.notify_one();
}

// -- what goes: the Server's thread ------------------------------------------------------------

void Server::Impl::work() {
    Lock lock(mutex_);
    while (!over()) {
        woken_ = false;
        if (!workOnce(lock)) wait(lock);
    }
    post_->finish();
    tell(lock);
    lock.unlock();
    try {
        embedded_->agent().sync(options_.linger);
    } catch (const Error& error) {
        complain(error.what());
    }
}

// True when there may be more to do at once.
bool Server::Impl::workOnce(Lock& lock) {
    const Time now = Clock::now();
    post_->tick(now);
    tell(lock);
    // At the end everything that has come is confirmed: it can be read after it.
    if (const auto out = post_->next(now, stopBy_ || !in_.queue.full())) {
        lock.unlock();
        emit(*out);
        lock.lock();
        return true;
    }
    if (!post_->takesMore(now)) return false;
    lock.unlock();
    auto item = out_.queue.tryTake();
    lock.lock();
    if (item) post_->accept(now, std::move(item->envelope), item->bytes);
    return item.has_value();
}

void Server::Impl::wait(Lock& lock) {
    auto until = post_->deadline(stopBy_ || !in_.queue.full());
    if (stopBy_ && (!until || *stopBy_ < *until)) until = stopBy_;
    if (until) {
        changed_.wait_until(lock, *until, [&] { return woken_; });
    } else {
        changed_.wait(lock, [&] { return woken_; });
    }
}

bool Server::Impl::over() const {
    if (!stopBy_) return false;
    return Clock::now() >= *stopBy_ || (out_.queue.size() == 0 && post_->settled());
}

// The agent's queue is full when its daemon, or a receiver, is slow: there is room when the daemon
// has taken what is in it.
void Server::Impl::emit(const Post::Outgoing& out) {
    Agent& agent = embedded_->agent();
    try {
        while (agent.emit(out.event, out.data) == Emitted::queueFull) {
            try {
                agent.sync(std::chrono::seconds(1));
            } catch (const Error&) {
                const Lock lock(mutex_);
                if (over()) return;
            }
        }
    } catch (const Error& error) {
        complain(error.what());
        const Lock lock(mutex_);
        post_->onRefused(out.serial);
    }
}

// Handlers are called without the lock: they may ask the Server.
void Server::Impl::tell(Lock& lock) {
    const auto undelivered = post_->takeUndelivered();
    if (undelivered.empty()) return;
    lock.unlock();
    if (onUndelivered) {
        for (const Undelivered& one : undelivered) {
            try {
                const Handling here(*this);
                onUndelivered(one);
            } catch (...) {
                complain("the handler of onUndelivered threw: " + whatThrown());
            }
        }
    } else {
        complain(lineOf(undelivered));
    }
    lock.lock();
}

void Server::Impl::complain(const std::string& what) {
    if (!onError) return;
    try {
        const Handling here(*this);
        onError(what);
    } catch (...) {
        std::fprintf(stderr, "netcluster: server %lld: %s (the handler of onError threw: %s)\n",
                     static_cast<long long>(pid()), what.c_str(), whatThrown().c_str());
    }
}

// -- the face ----------------------------------------------------------------------------------

Sent Outbox::send(Envelope envelope) {
    return impl_.send(std::move(envelope), {});
}
Sent Outbox::send(Envelope envelope, std::chrono::milliseconds timeout) {
    return impl_.send(std::move(envelope), Clock::now() + timeout);
}
Sent Outbox::trySend(Envelope envelope) {
    return impl_.send(std::move(envelope), Clock::now());
}

std::optional<Envelope> Inbox::receive() {
    return impl_.receive({});
}
std::optional<Envelope> Inbox::receive(std::chrono::milliseconds timeout) {
    return impl_.receive(Clock::now() + timeout);
}
std::optional<Envelope> Inbox::tryReceive() {
    return impl_.receive(Clock::now());
}
std::size_t Inbox::size() const {
    return impl_.queue.size();
}

Server::Server(Pid pid, const std::string& peersFile, Options options)
    : impl_(std::make_unique<Impl>(pid, peersFile, std::move(options))) {}
Server::~Server() = default;

Pid Server::pid() const {
    return impl_->pid();
}
std::vector<Pid> Server::peers() const {
    return impl_->peers();
}
std::vector<Pid> Server::online() const {
    return impl_->online();
}
Inbox& Server::inbox() {
    return impl_->inbox;
}
Outbox& Server::outbox() {
    return impl_->outbox;
}
void Server::start() {
    impl_->start();
}
void Server::stop() {
    impl_->stop();
}
void Server::blacklist(const std::vector<Pid>& pids) {
    impl_->setBlacklist(pids);
}
std::vector<Pid> Server::blacklist() const {
    return impl_->blacklist();
}
Counters Server::counters() const {
    return impl_->counters();
}
void Server::onUndelivered(std::function<void(const Undelivered&)> handler) {
    impl_->onUndelivered = std::move(handler);
}
void Server::onError(std::function<void(const std::string&)> handler) {
    impl_->onError = std::move(handler);
}

}  // namespace netcluster::cluster
