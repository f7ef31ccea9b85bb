// Server: its life, and its face with those of the two boxes.
#include <algorithm>
#include <cstdio>
#include <random>

#include "bounded_wait.hpp"
#include "server_impl.hpp"

namespace netcluster::cluster {
namespace {

// 64 random bits: a start has a name of its own.
std::string newName(Pid pid) {
    std::random_device random;
    char text[48];
    std::snprintf(text, sizeof text, "%lld-%08x%08x", static_cast<long long>(pid), random(),
                  random());
    return text;
}

Counters operator+(Counters sum, const Counters& more) {
    sum.sent += more.sent;
    sum.confirmed += more.confirmed;
    sum.undelivered += more.undelivered;
    sum.received += more.received;
    sum.ignored += more.ignored;
    sum.gaps += more.gaps;
    return sum;
}

Options withBoundedWaits(Options options) {
    options.holdTime = boundedWait(options.holdTime);
    options.linger = boundedWait(options.linger);
    return options;
}

// Goes no deeper than it may.
bool deeperThan(std::size_t most, const Json& value) {
    if (!value.is_structured()) return false;
    return most == 0 || std::any_of(value.begin(), value.end(), [most](const Json& member) {
               return deeperThan(most - 1, member);
           });
}

}  // namespace

Server::Impl::Impl(Pid pid, const std::string& peersFile, Options options)
    : options_(withBoundedWaits(std::move(options))),
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
    before_ = before_ + post_->counters();
    post_.reset();
}

Counters Server::Impl::counters() const {
    const Lock lock(mutex_);
    Counters sum = before_;
    sum.gaps = gaps_;
    sum.malformed = malformed_;
    return post_ ? sum + post_->counters() : sum;
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

// -- the boxes ---------------------------------------------------------------------------------

Sent Outbox::Impl::send(Envelope envelope, std::optional<Time> until) {
    if (!known(envelope.pid)) {
        throw Error(file + ": no other server has pid " + std::to_string(envelope.pid));
    }
    // Before all else: what is done with a message recurses.
    if (deeperThan(maxMessageDepth, envelope.msg)) {
        envelope.msg = nullptr;
        return queue.put({std::move(envelope), 0, true}, until);
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

std::optional<Envelope> Inbox::Impl::receive(std::optional<Time> until) {
    auto item = queue.take(until);
    if (!item) return {};
    return std::move(item->envelope);
}

// -- the face ----------------------------------------------------------------------------------

Sent Outbox::send(Envelope envelope) {
    return impl_.send(std::move(envelope), {});
}
Sent Outbox::send(Envelope envelope, std::chrono::milliseconds timeout) {
    return impl_.send(std::move(envelope), Clock::now() + boundedWait(timeout));
}
Sent Outbox::trySend(Envelope envelope) {
    return impl_.send(std::move(envelope), Clock::now());
}

std::optional<Envelope> Inbox::receive() {
    return impl_.receive({});
}
std::optional<Envelope> Inbox::receive(std::chrono::milliseconds timeout) {
    return impl_.receive(Clock::now() + boundedWait(timeout));
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
