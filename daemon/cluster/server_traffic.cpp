// Server: what comes and what goes.
#include <cstdio>

#include "incoming.hpp"
#include "server_impl.hpp"

namespace netcluster::cluster {
namespace {

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

thread_local const Server::Impl* Server::Impl::handling = nullptr;

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
        std::string(Post::hello), [this](const Event& event) { onHello(event); }, others);
    agent.on(
        std::string(Post::ack), [this, name](const Event& event) { onAck(event, name); }, others);
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

void Server::Impl::onHello(const Event& event) {
    const auto heard = heardIn(event.text());
    if (!heard) return onMalformed(event);
    {
        const Lock lock(mutex_);
        post_->onHello(Clock::now(), std::string(event.host()), *heard);
    }
    wake();
}

void Server::Impl::onAck(const Event& event, const std::string& name) {
    const auto upTo = upToIn(event.text());
    if (!upTo) return onMalformed(event);
    const auto own = upTo->find(name);
    if (own == upTo->end()) return;
    {
        const Lock lock(mutex_);
        post_->onAck(Clock::now(), std::string(event.host()), own->second);
    }
    wake();
}

void Server::Impl::onEnvelope(const Event& event) {
    auto incoming = envelopeIn(event.text());
    if (!incoming) return onMalformed(event);
    const std::string from(event.host());
    const auto sender = pidOfName(from);
    if (!sender) return;
    incoming->envelope.pid = *sender;
    const std::size_t bytes = event.text().size();
    bool wanted = false;
    {
        const Lock lock(mutex_);
        wanted = post_->onEnvelope(Clock::now(), from, incoming->serial, bytes, incoming->notFor);
    }
    if (wanted) in_.queue.force({std::move(incoming->envelope), bytes});
    wake();
}

// Whoever is in the network can send this, as often and under as many names as it wants: it is said
// once for each server of the file, and once for all who are none.
void Server::Impl::onMalformed(const Event& event) {
    const std::string host(event.host());
    const auto sender = pidOfName(host);
    const bool known = sender && out_.others.contains(*sender);
    {
        const Lock lock(mutex_);
        ++malformed_;
        if (!malformedFrom_.insert(known ? *sender : BROADCAST).second) return;
    }
    complain(known ? "server " + std::to_string(*sender) +
                         " sends what is no envelope (said once for each server)"
                   : "host " + host +
                         ", no server of the file, sends what is no envelope (said once for all "
                         "such hosts)");
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
    if (!item) return false;
    if (item->tooDeep) {
        refuse(lock, item->envelope);
    } else {
        post_->accept(now, std::move(item->envelope), item->bytes);
    }
    return true;
}

void Server::Impl::refuse(Lock& lock, const Envelope& envelope) {
    post_->refuse(envelope.pid, envelope.msgId);
    lock.unlock();
    complain("envelope " + std::to_string(envelope.msgId) + " for " +
             (envelope.pid == BROADCAST ? "all" : "server " + std::to_string(envelope.pid)) +
             " is nested deeper than " + std::to_string(maxMessageDepth) + ": it is not sent");
    lock.lock();
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

}  // namespace netcluster::cluster
