#include "remote.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include "message.hpp"
#include "relay.hpp"

namespace netcluster::daemon::link {
namespace {

// A sender that said END answers no more; what was on its way comes within this.
constexpr std::chrono::milliseconds tailTime{50};

}  // namespace

std::string text(const Endpoint& endpoint) {
    std::ostringstream out;
    out << endpoint;
    return out.str();
}

std::string_view gapName(GapReport::Why why) {
    switch (why) {
        case GapReport::Why::lost:
            return "lost";
        case GapReport::Why::gone:
            return "gone";
        case GapReport::Why::dropped:
            return "dropped";
        case GapReport::Why::reset:
            return "reset";
    }
    return "unknown";
}

Remote::Remote(RemoteContext& context, const wire::Uuid& session, std::string_view name)
    : context_(context),
      session_(session),
      name_(name),
      window_(maxWindow, context.budget, *this),
      stream_(messageLimit(context.maxEvent) + relayedOverhead, context.budget, *this) {}

void Remote::onData(Time now, const Data& data, std::string_view body,
                    std::chrono::microseconds backoff) {
    heardSinceAsked_ = true;
    if (data.sequence > endsAt_) return context_.events.onBad(Bad::afterEnd);
    lastData_ = now;
    // The whole body waits, not its parts: one piece of memory, read again when its turn comes.
    judge(window_.add(now, data.sequence, body, backoff));
}

void Remote::onHeartbeat(Time now, const Heartbeat& heartbeat, std::chrono::microseconds backoff) {
    heardSinceAsked_ = true;
    said = heartbeat;
    introduced = true;
    version = heartbeat.version;
    channels.assign(heartbeat.channels.begin(), heartbeat.channels.end());
    // The texts of the datagram go with it.
    said.name = said.version = {};
    said.channels.clear();
    if (heartbeat.wantsStatus) statusWanted_ = true;
    judge(window_.announce(now, heartbeat.highest, heartbeat.oldest, backoff));
}

void Remote::onEnd(Time now, std::uint64_t highest) {
    if (ended) return;
    ended = true;
    endsAt_ = highest;
    lastCall_ = now + tailTime;
    judge(window_.announce(now, highest, 1, tailTime));
}

void Remote::othersAsked(Time now, const Nak& nak) {
    for (const Range& range : nak.ranges) window_.othersAsked(now, range);
}

void Remote::requests(Time now, std::uint32_t window, std::vector<Range>& missing) {
    if (!ended) {
        window_.ask(now, std::exchange(heardSinceAsked_, false), window, missing);
    } else if (lastCall_ && now >= *lastCall_) {
        lastCall_.reset();
        giveUp();
    }
}

bool Remote::statusDue(std::uint32_t window) const {
    if (ended || window_.next() == 0) return false;
    if (window == 0) return statusWanted_;
    return statusWanted_ || window_.next() - statusAt_ >= std::max<std::uint32_t>(1, window / 4);
}

Status Remote::status(std::uint32_t window) {
    statusWanted_ = false;
    statusAt_ = window_.next();
    return {session_, window_.next(), window};
}

std::optional<Time> Remote::deadline() const {
    return ended ? lastCall_ : window_.deadline();
}

void Remote::giveUp() {
    window_.giveUp();
    // All of it now: this session may be forgotten next.
    while (window_.ready()) window_.deliverReady();
    // It may be back and say the rest, of which we no longer have the beginning.
    if (stream_.unfinished()) missingHere();
}

Remote::Counts Remote::counts() const {
    Counts counts = counts_;
    counts.repaired = window_.repaired();
    return counts;
}

void Remote::judge(OrderWindow::Result result) {
    switch (result) {
        case OrderWindow::Result::taken:
            ++counts_.datagrams;
            return;
        case OrderWindow::Result::announced:
            return;
        case OrderWindow::Result::old:
            ++counts_.duplicates;
            return;
        case OrderWindow::Result::ahead:
            ++counts_.ahead;
            return;
        case OrderWindow::Result::reset:
            // Whatever moved the numbers is not believed either: the next datagram joins anew.
            ++counts_.resets;
            window_.forget();
            stream_.missing();
            lastEvent_ = eventBefore_ = 0;
            context_.inflow.flush();
            context_.events.onGap(*this, {GapReport::Why::reset, 0, 0, 0});
            return;
    }
}

void Remote::inOrder(std::string_view body) {
    Data data;
    if (const Bad bad = readData(body, data); bad != Bad::none) return context_.events.onBad(bad);
    stream_.read(data.content, data.start, data.sequence);
}

void Remote::missing(Range range, bool gone) {
    stream_.missing();
    eventBefore_ = 0;
    ++counts_.gaps;
    counts_.lost += range.count();
    // What came before the gap is heard before it.
    context_.inflow.flush();
    context_.events.onGap(*this, {gone ? GapReport::Why::gone : GapReport::Why::lost, range.count(),
                                  range.first, range.last});
}

void Remote::onMessage(const wire::FrameView& message) {
    if (message.type == wire::FrameType::gap) {
        const auto note = wire::readGap(message);
        if (!note || note->count == 0) return context_.events.onBad(Bad::event);
        counts_.droppedByHost += note->count;
        context_.inflow.flush();
        return context_.events.onGap(*this, {GapReport::Why::dropped, note->count, 0, 0});
    }
    if (context_.relay && isRelayed(message)) return onRelayed(message);
    onEvent(message);
}

void Remote::onEvent(const wire::FrameView& message) {
    const std::uint64_t number = stream_.number();
    const std::uint64_t before = std::exchange(eventBefore_, number);
    lastEvent_ = number;
    Relay* const relay = number != 0 ? context_.relay : nullptr;
    Origin* const origin = relay ? relay->watched(session_, name_) : nullptr;
    if (!origin) return void(handOn(message, name_));
    Relayed event = ofOrigin(*origin, Relayed::Kind::event, number);
    // After a hole nobody knows what came before.
    constexpr std::uint64_t farthest = std::numeric_limits<std::uint32_t>::max();
    if (before != 0 && before < number && number - before <= farthest) {
        event.back = static_cast<std::uint32_t>(number - before);
    }
    event.content = message.whole;
    if (relay->takeDirect(*origin, event) != Relay::Verdict::take) return;
    if (handOn(message, name_)) relay->passOn(session_, event, *origin);
    relay->release(*origin);
}

void Remote::onRelayed(const wire::FrameView& message) {
    Relayed relayed;
    if (const Bad bad = readRelayed(message, relayed); bad != Bad::none) {
        return context_.events.onBad(bad);
    }
    // What was heard before a host came or went is told before that.
    if (relayed.kind != Relayed::Kind::event) context_.inflow.flush();
    wire::FrameView event;
    const std::string_view content = relayed.content;
    const bool whole = relayed.kind != Relayed::Kind::event ||
                       (wire::nextFrame(content, content.size(), event) == wire::Walk::frame &&
                        event.whole.size() == content.size());
    if (!whole) return context_.events.onBad(Bad::relayed);
    Origin* origin = nullptr;
    switch (context_.relay->judge(session_, name_, relayed, origin)) {
        case Relay::Verdict::drop:
            return;
        case Relay::Verdict::malformed:
            return context_.events.onBad(Bad::relayed);
        case Relay::Verdict::take:
            break;
    }
    if (handOn(event, relayed.name)) context_.relay->passOn(session_, relayed, *origin);
    context_.relay->release(*origin);
}

// False when it is no good event.
bool Remote::handOn(const wire::FrameView& event, std::string_view host) {
    const Bad bad = context_.inflow.add(event, host);
    if (bad != Bad::none) {
        context_.events.onBad(bad);
        return false;
    }
    ++counts_.events;
    return true;
}

void Remote::onBadStream(Bad reason) {
    context_.events.onBad(reason);
    if (reason == Bad::noMemory) missingHere();
}

// An event of which the last datagram holds a part will not come.
void Remote::missingHere() {
    missing({window_.next() - 1, window_.next() - 1}, false);
}

}  // namespace netcluster::daemon::link
