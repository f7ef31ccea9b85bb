// Connection: bytes and frames, both ways.
#include <boost/asio/post.hpp>

#include "connection_tell.hpp"

namespace netcluster {
namespace {

// Largest `maxevent` a daemon's config may hold.
constexpr std::size_t mostMaxEvent = std::size_t{64} << 20;

// Chunks written before others (reads, timers) get their turn.
constexpr std::size_t writesPerTurn = 8;

}  // namespace

void Connection::wake(Outbox::Wake wake) {
    if (wake == Outbox::Wake::yes) boost::asio::post(io_, [this] { write(); });
}

auto Connection::whenReady(void (Connection::*next)()) {
    return [this, next, incarnation = incarnation_](const boost::system::error_code& error) {
        if (incarnation != incarnation_) return;
        if (error) return lost(error.message());
        (this->*next)();
    };
}

// -- writing

// Any thread, with streamMutex_. Writes what is queued until the kernel or the queue has had
// enough. `done`, with the count of writes: the queue is empty, or others should get their turn.
local::IoResult Connection::writeQueued(std::size_t mostWrites) {
    local::IoResult result;
    for (std::size_t writes = 0; writes < mostWrites; ++writes) {
        const std::string_view bytes = outbox_.next();
        if (bytes.empty()) return {local::Io::done, writes};
        result = stream_->write({&bytes, 1});
        if (result.outcome != local::Io::done) return result;
        outbox_.written(result.count);
    }
    return {local::Io::done, mostWrites};
}

void Connection::write() {
    if (writing_ || !stream_) return;
    std::unique_lock lock(streamMutex_);
    const local::IoResult result = writeQueued(writesPerTurn);
    lock.unlock();
    switch (result.outcome) {
        case local::Io::done:
            if (result.count < writesPerTurn) return drainedPerhaps();
            return boost::asio::post(io_, [this] { write(); });
        case local::Io::wouldBlock:
            return waitWritable();
        case local::Io::closed:
            return;  // its last words are still to be read: `readable` comes to the end, too
        case local::Io::failed:
            return lost(result.reason());
    }
}

// A lone event is written by the thread that emits it: that costs it no more than waking the
// connection's thread would, and saves the wake-up. In a flood it is left to the connection's
// thread, so that events gather and go many at a time. True when nothing is left to write.
bool Connection::writeHere() {
    const std::unique_lock lock(streamMutex_, std::try_to_lock);
    if (!lock || !stream_) return false;
    const auto now = std::chrono::steady_clock::now();
    if (now - std::exchange(lastLoneEvent_, now) < floodInterval) return false;
    const local::IoResult result = writeQueued(2);  // the second finds the queue empty
    return result.outcome == local::Io::done && result.count < 2 && !draining_;
}

void Connection::waitWritable() {
    writing_ = true;
    stream_->waitWritable(whenReady(&Connection::writable));
}

void Connection::writable() {
    writing_ = false;
    write();
}

// -- reading

void Connection::waitReadable() {
    stream_->waitReadable(whenReady(&Connection::readable));
}

void Connection::readable() {
    const std::uint64_t incarnation = incarnation_;
    bool held = false;
    const local::IoResult result =
        welcomed_ ? stream_->read(inbox_.room()) : stream_->read(inbox_.room(), counter_);
    switch (result.outcome) {
        case local::Io::done:
            inbox_.filled(result.count);
            held = outbox_.hold();
            takeFrames();
            break;
        case local::Io::wouldBlock:
            break;
        case local::Io::closed:
            return lost("the daemon closed the connection");
        case local::Io::failed:
            return lost(result.reason());
    }
    if (incarnation == incarnation_ && held) write();
    if (incarnation == incarnation_) waitReadable();
}

void Connection::takeFrames() {
    const std::uint64_t incarnation = incarnation_;
    wire::FrameView frame;
    while (incarnation == incarnation_) {
        switch (inbox_.next(frame)) {
            case Inbox::Next::frame:
                onFrame(frame);
                break;
            case Inbox::Next::nothing:
                return;
            case Inbox::Next::malformed:
                return lost("the daemon sent something that is not a frame");
        }
    }
}

void Connection::onFrame(const wire::FrameView& frame) {
    if (frame.type == wire::FrameType::goodbye) return onGoodbye(frame);
    if (frame.type == wire::FrameType::welcome) return onWelcome(frame);
    if (!welcomed_) return lost("the daemon did not begin with a welcome");
    switch (frame.type) {
        case wire::FrameType::event:
            if (const auto event = wire::readEvent(frame)) {
                const wire::EventRun events = inbox_.takeRun(*event);
                return tell([&](Receiver& receiver) { receiver.onEvents(events); });
            }
            return lost("the daemon sent a malformed event");
        case wire::FrameType::gap:
            if (const auto gap = wire::readGap(frame)) {
                tell([&](Receiver& receiver) { receiver.onGap(*gap); });
            }
            return;
        case wire::FrameType::synced:
            return onSynced(frame);
        case wire::FrameType::refused:
            return onRefused(frame);
        case wire::FrameType::unwanted:
            if (const auto unwanted = wire::readUnwanted(frame)) unwanted_.learn(*unwanted);
            return;
        default:
            return;  // of a later version: skipped by length
    }
}

void Connection::onWelcome(const wire::FrameView& frame) {
    auto welcome = wire::readWelcome(frame);
    // A later one tells of changed limits.
    if (!welcome) return lost("the daemon sent a malformed welcome");
    if (welcome->version != wire::protocolVersion) {
        return lost("the daemon speaks protocol version " + std::to_string(welcome->version));
    }
    if (!std::exchange(welcomed_, true)) {
        tell([](Receiver& receiver) { receiver.onWelcomed(); });
    }
    if (counter_) unwanted_.attach(std::exchange(counter_, {}));
    const std::size_t maxEvent = std::min<std::size_t>(welcome->maxEvent, mostMaxEvent);
    maxEvent_ = maxEvent;
    inbox_.setMaxEvent(maxEvent);
    {
        const std::lock_guard lock(mutex_);
        welcome_ = std::move(welcome);
    }
    // Queued under an earlier daemon; this one would end the connection over them, for ever.
    if (const std::size_t dropped = outbox_.dropLargerThan(maxEvent)) {
        trouble(std::to_string(dropped) + " queued events are larger than the daemon now takes (" +
                std::to_string(maxEvent) + " bytes) and were dropped");
    }
}

void Connection::onSynced(const wire::FrameView& frame) {
    const auto token = wire::readSync(frame);
    if (!token) return;
    if (phase_ == Phase::greeting && *token == greetingToken_) return becameOnline();
    completeWaiters(*token);
}

void Connection::onRefused(const wire::FrameView& frame) {
    const auto refusal = wire::readRefused(frame);
    if (!refusal) return;
    const std::string pattern = outbox_.patternOf(refusal->id);
    const std::string what = pattern.empty() ? "" : " the pattern '" + pattern + "'";
    trouble("the daemon refused" + what + ": " + std::string(refusal->reason));
}

void Connection::onGoodbye(const wire::FrameView& frame) {
    const std::string reason = "the daemon said goodbye: " + std::string(wire::readGoodbye(frame));
    if (!welcomed_) {
        // It does not want us, and trying again will not change that soon.
        const std::string what = endpoint_ + ": " + reason;
        if (!failWaiters(what, true) && lastTrouble_ != what) trouble(lastTrouble_ = what);
    }
    lost(reason);
}

void Connection::trouble(const std::string& what) {
    tell([&](Receiver& receiver) { receiver.onTrouble(what); });
}

}  // namespace netcluster
