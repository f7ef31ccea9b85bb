// Connection: those who wait for it, in `connect` and `sync`. The connection's thread only.
#include <algorithm>

#include "connection.hpp"

namespace netcluster {
namespace {

std::string withReason(std::string what, const std::string& reason) {
    return reason.empty() ? what : std::move(what) + ": " + reason;
}

}  // namespace

void Connection::beginConnect(std::chrono::milliseconds timeout, Done done) {
    reviveDrain();
    Waiter& waiter = addWaiter(true, timeout, std::move(done));
    switch (phase_) {
        case Phase::online:
            return askFor(waiter);
        case Phase::greeting:
            return;  // asked when that is over
        case Phase::idle:
        case Phase::waiting:
            timer_.cancel();
            return attempt();
    }
}

void Connection::beginSync(std::chrono::milliseconds timeout, Done done) {
    if (phase_ != Phase::online) return done(withReason("not connected", lastError_));
    askFor(addWaiter(false, timeout, std::move(done)));
}

Connection::Waiter& Connection::addWaiter(bool forConnect, std::chrono::milliseconds timeout,
                                          Done done) {
    Waiter& waiter = waiters_.emplace_back();
    waiter.id = ++lastWaiter_;
    waiter.forConnect = forConnect;
    waiter.timeout = timeout;
    waiter.done = std::move(done);
    waiter.timer = after(timeout, [this, id = waiter.id] { expired(id); });
    return waiter;
}

void Connection::askFor(Waiter& waiter) {
    waiter.token = ++lastToken_;
    wake(outbox_.sync(waiter.token));
}

void Connection::expired(std::uint64_t id) {
    const auto at = std::find_if(waiters_.begin(), waiters_.end(),
                                 [&](const Waiter& waiter) { return waiter.id == id; });
    if (at == waiters_.end()) return;
    const std::string after = " within " + std::to_string(at->timeout.count()) + " ms";
    const std::string what = at->forConnect
                                 ? "cannot connect to channel '" + setup_.channel + "'" + after
                                 : "the daemon did not answer a sync" + after;
    finish([&](const Waiter& waiter) { return waiter.id == id; }, withReason(what, lastError_));
}

// The daemon answers in order.
void Connection::completeWaiters(std::uint64_t token) {
    finish([&](const Waiter& waiter) { return waiter.token != 0 && waiter.token <= token; }, {});
}

bool Connection::failWaiters(const std::string& reason, bool alsoConnects) {
    return finish([&](const Waiter& waiter) { return alsoConnects || !waiter.forConnect; }, reason);
}

bool Connection::somebodyConnects() const {
    return std::any_of(waiters_.begin(), waiters_.end(),
                       [](const Waiter& waiter) { return waiter.forConnect; });
}

// Takes them out of the list before it tells them: what they do may come back here.
template <typename Chosen>
bool Connection::finish(Chosen chosen, const std::string& error) {
    Waiters finished;
    for (auto at = waiters_.begin(); at != waiters_.end();) {
        const auto next = std::next(at);
        if (chosen(*at)) finished.splice(finished.end(), waiters_, at);
        at = next;
    }
    for (const Waiter& waiter : finished) waiter.done(error);
    return !finished.empty();
}

}  // namespace netcluster
