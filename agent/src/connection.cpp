// Connection: its life. What it reads and writes is in connection_io.cpp, who waits for it in
// connection_waiters.cpp.
#include "connection.hpp"

#include <boost/asio/detail/signal_blocker.hpp>
#include <boost/asio/post.hpp>

#include "connection_tell.hpp"
#include "endpoint.hpp"

namespace netcluster {

Connection::Connection(Setup setup)
    : setup_(std::move(setup)), outbox_(setup_.queueLimit), backoff_(std::random_device{}()) {}

Connection::~Connection() = default;

// -- any thread

void Connection::start() {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) return;
    // The program's signals are the program's: none is handled on this thread.
    const boost::asio::detail::signal_blocker blocker;
    thread_ = std::thread([self = shared_from_this()] { self->io_.run(); });
}

bool Connection::started() const {
    const std::lock_guard lock(mutex_);
    return thread_.joinable();
}

void Connection::stop(bool wait) {
    std::thread thread;
    {
        const std::lock_guard lock(mutex_);
        thread = std::move(thread_);
    }
    if (!thread.joinable()) return;
    boost::asio::post(io_, [this] { io_.stop(); });
    wait ? thread.join() : thread.detach();
}

void Connection::post(std::function<void()> task) {
    boost::asio::post(io_, std::move(task));
}

Connection::Timer Connection::after(std::chrono::milliseconds time, std::function<void()> task) {
    auto timer = std::make_unique<boost::asio::steady_timer>(io_, std::min(time, longestWait));
    timer->async_wait([task = std::move(task)](const boost::system::error_code& error) {
        if (!error) task();
    });
    return timer;
}

void Connection::connect(std::chrono::milliseconds timeout, Done done) {
    start();
    post([this, timeout, done = std::move(done)]() mutable {
        beginConnect(timeout, std::move(done));
    });
}

void Connection::sync(std::chrono::milliseconds timeout, Done done) {
    post(
        [this, timeout, done = std::move(done)]() mutable { beginSync(timeout, std::move(done)); });
}

void Connection::disconnect(std::chrono::milliseconds grace,
                            std::function<void(std::size_t)> done) {
    if (!started()) return done(0);
    post([this, grace, done = std::move(done)]() mutable { beginDrain(grace, std::move(done)); });
}

Emitted Connection::send(const wire::EventView& event) {
    const Outbox::Queued queued = outbox_.event(event);
    if (queued.wake == Outbox::Wake::yes && !writeHere()) wake(queued.wake);
    return queued.emitted;
}

void Connection::request(const wire::EventView& event) {
    wake(outbox_.request(event));
}

void Connection::wanted(const std::string& pattern) {
    wake(outbox_.subscribe(pattern));
}

void Connection::unwanted(const std::string& pattern) {
    wake(outbox_.unsubscribe(pattern));
}

std::optional<wire::Welcome> Connection::welcome() const {
    const std::lock_guard lock(mutex_);
    return welcome_;
}

// -- the connection's thread

void Connection::attempt() {
    lastError_.clear();
    for (const std::string& directory : setup_.directories) {
        if (attemptAt(local::endpointPath(directory, setup_.channel))) return;
    }
    retryLater();
}

bool Connection::attemptAt(const std::string& endpoint) {
    local::Connected connected = local::connectTo(io_, endpoint);
    if (!lastError_.empty()) lastError_ += "; ";
    if (!connected.stream) {
        lastError_ += connected.error;
        return false;
    }
    lastError_ += endpoint + ": connected, but got no answer to the hello";
    endpoint_ = endpoint;
    phase_ = Phase::greeting;
    welcomed_ = false;
    inbox_.reset();
    counter_ = {};
    greetingToken_ = ++lastToken_;
    for (Waiter& waiter : waiters_) waiter.token = greetingToken_;
    std::string frames;
    tell([&](Receiver& receiver) { frames = receiver.onGreeting(); });
    wire::Hello hello;
    hello.capabilities = wire::interestCapability | wire::noticesCapability;
    hello.agent = setup_.program;
    {
        const std::lock_guard lock(streamMutex_);
        stream_ = std::move(connected.stream);
        outbox_.greet(hello, frames, greetingToken_);
    }

    timer_.expires_after(greetingTime);
    timer_.async_wait([this, incarnation = incarnation_](const boost::system::error_code& error) {
        if (error || incarnation != incarnation_ || phase_ != Phase::greeting) return;
        lost("got no answer to the hello");
    });
    waitReadable();
    write();
    return true;
}

void Connection::retryLater() {
    phase_ = Phase::waiting;
    std::chrono::milliseconds wait = backoff_.next();
    if (somebodyConnects()) wait = std::min(wait, eagerWait);
    timer_.expires_after(wait);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && phase_ == Phase::waiting) attempt();
    });
}

void Connection::becameOnline() {
    phase_ = Phase::online;
    onlineSince_ = std::chrono::steady_clock::now();
    timer_.cancel();
    lastError_.clear();
    lastTrouble_.clear();
    online_ = true;
    outbox_.open();
    tell([](Receiver& receiver) { receiver.onOnline(); });
    completeWaiters(greetingToken_);
    for (Waiter& waiter : waiters_) {
        if (waiter.token == 0) askFor(waiter);  // came while the greeting was under way
    }
    write();
}

void Connection::closeStream() {
    ++incarnation_;
    writing_ = false;
    online_ = false;
    unwanted_.detach();
    timer_.cancel();
    const std::lock_guard lock(streamMutex_);
    if (stream_) stream_->close();
    stream_.reset();
    outbox_.broken();
}

void Connection::lost(const std::string& reason) {
    if (!stream_) return;
    const bool wasOnline = phase_ == Phase::online;
    closeStream();
    phase_ = Phase::idle;
    lastError_ = endpoint_ + ": " + reason;
    failWaiters("the connection was lost: " + lastError_, false);
    for (Waiter& waiter : waiters_) waiter.token = 0;
    if (wasOnline) {
        if (std::chrono::steady_clock::now() - onlineSince_ >= goodLife) backoff_.reset();
        tell([&](Receiver& receiver) { receiver.onOffline(lastError_); });
    }
    drainedPerhaps();
    if (wish_ != Wish::nothing) retryLater();
}

void Connection::beginDrain(std::chrono::milliseconds grace,
                            std::function<void(std::size_t)> done) {
    wish_ = Wish::drained;
    draining_ = true;  // before it is looked whether anything is left: see writeHere
    drained_.push_back(std::move(done));
    if (grace <= std::chrono::milliseconds(0)) return finishDrain();
    drainTimer_.expires_after(grace);
    drainTimer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && wish_ == Wish::drained) finishDrain();
    });
    drainedPerhaps();
}

// Somebody wants the connection after all.
void Connection::reviveDrain() {
    wish_ = Wish::connected;
    draining_ = false;
    drainTimer_.cancel();
    for (const auto& done : std::exchange(drained_, {})) done(0);
}

void Connection::drainedPerhaps() {
    if (wish_ == Wish::drained && outbox_.bytes() == 0) finishDrain();
}

void Connection::finishDrain() {
    wish_ = Wish::nothing;
    draining_ = false;
    phase_ = Phase::idle;
    drainTimer_.cancel();
    closeStream();
    const std::size_t unsent = outbox_.clear();
    failWaiters("disconnected", true);
    for (const auto& done : std::exchange(drained_, {})) done(unsent);
}

}  // namespace netcluster
