// What a session makes of the bytes its client sends.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>

#include "dump.hpp"
#include "log.hpp"
#include "router.hpp"
#include "session.hpp"

namespace netcluster::daemon {
namespace {

bool isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Of a frame or packet: what it may have beside its data.
constexpr std::size_t overhead =
    std::max<std::size_t>(wire::maxEventOverhead, wire::maxPacketOverhead);

}  // namespace

std::size_t Session::maxInput() const {
    return context_.maxEvent + overhead;
}

void Session::readable() {
    const auto alive = self();
    // Small rests move to the front of the shared buffer; a large event is gathered where it lies.
    const bool gathers = pending_.size() > SessionContext::readSize / 2;
    const std::size_t have = pending_.size();
    char* base = context_.readBuffer.data();
    std::size_t room = SessionContext::readSize - have;
    if (gathers) {
        pending_.resize(have + SessionContext::readSize);
        base = pending_.data();
        room = SessionContext::readSize;
    } else {
        std::memcpy(base, pending_.data(), have);
    }
    const local::IoResult result = stream_.read({base + have, room});
    if (gathers) pending_.resize(have + result.count);
    switch (result.outcome) {
        case local::Io::done:
            consume({base, have + result.count});
            break;
        case local::Io::wouldBlock:
            break;
        case local::Io::closed:
            return left();
        case local::Io::failed:
            log::warn("{}: {}", label(), result.reason());
            return finish();
    }
    waitReadable();
}

// The client will say nothing more; what it began and did not finish is not lost in silence.
void Session::left() {
    if (!pending_.empty()) {
        doom("left in the middle of a " +
             std::string(encoding_ == Encoding::binary ? "frame" : "packet; packets end with NUL"));
    }
    close(doom_);
}

// `bytes` is all that is not decoded yet, in the shared buffer or in pending_.
void Session::consume(std::string_view bytes) {
    compiled_ = 0;
    const std::size_t used = decode(bytes);
    if (touched_) flush();  // answers to this client
    home_.sink.endTurn();
    if (!doom_.empty() && !closed_) close(doom_);
    if (closed_ || closing_) {
        std::string().swap(pending_);
        return;
    }
    watchInput(used != 0);
    bytes.remove_prefix(used);
    if (!pending_.empty() && bytes.data() >= pending_.data() &&
        bytes.data() <= pending_.data() + pending_.size()) {
        pending_.erase(0, used);
    } else {
        pending_.assign(bytes);
    }
    // An idle client keeps no buffer.
    if (pending_.empty() && pending_.capacity() > 64) std::string().swap(pending_);
}

void Session::resume() {
    if (!std::exchange(paused_, false) || closed_) return;
    // Posted: whoever calls us is in the middle of a turn of its own.
    boost::asio::post(context_.io, [self = self()] {
        if (self->closed_ || self->closing_ || self->paused_) return;
        self->consume(self->pending_);
        self->waitReadable();
    });
}

// The timer is left to run when all is whole: it will see that.
void Session::watchInput(bool progressed) {
    if (!unfinished_) {
        begun_ = {};
        return;
    }
    const bool begins = begun_ == std::chrono::steady_clock::time_point{};
    if (begins || progressed) begun_ = std::chrono::steady_clock::now();
    if (std::exchange(timingInput_, true)) return;
    arm(inputTimer_, inputTime, &Session::checkInput);
}

void Session::checkInput() {
    timingInput_ = false;
    if (!unfinished_ || closing_) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        begun_ + inputTime - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
        doom("began a " + std::string(encoding_ == Encoding::json ? "packet" : "frame") +
             " and did not finish it in " + std::to_string(inputTime.count()) + " s");
        return close(doom_);
    }
    timingInput_ = true;
    arm(inputTimer_, left, &Session::checkInput);
}

// Hands in whole events until there is none. Returns how many bytes are done with.
std::size_t Session::decode(std::string_view bytes) {
    const std::size_t all = bytes.size();
    unfinished_ = false;
    while (doom_.empty() && !closed_ && !closing_) {
        const Step done = step(bytes);
        if (done == Step::next) continue;
        unfinished_ = done == Step::incomplete &&
                      (!bytes.empty() || (encoding_ == Encoding::binary && !greeted_));
        if (done == Step::blocked || done == Step::later) paused_ = true;
        if (done == Step::later) resume();
        break;
    }
    return all - bytes.size();
}

Session::Step Session::step(std::string_view& bytes) {
    switch (encoding_) {
        case Encoding::undecided:
            return decideEncoding(bytes);
        case Encoding::json:
            return packet(bytes);
        case Encoding::binary:
            return frame(bytes);
    }
    return Step::ended;
}

Session::Step Session::decideEncoding(std::string_view& bytes) {
    if (bytes.empty()) return Step::incomplete;
    if (bytes.front() != wire::preface.front()) {
        encoding_ = Encoding::json;
        return Step::next;
    }
    const std::string_view start = bytes.substr(0, wire::preface.size());
    if (!wire::preface.starts_with(start)) return malformed("neither JSON packets nor frames");
    if (start.size() < wire::preface.size()) return Step::incomplete;
    bytes.remove_prefix(start.size());
    encoding_ = Encoding::binary;
    context_.router.subscriptionsChanged();  // from every event to none
    return Step::next;
}

// -- JSON --------------------------------------------------------------------------------------

Session::Step Session::packet(std::string_view& bytes) {
    // White space between packets (line breaks of shell scripts) means nothing.
    while (!bytes.empty() && (isSpace(bytes.front()) || bytes.front() == '\0')) {
        bytes.remove_prefix(1);
        searched_ = 0;
    }
    if (bytes.empty()) return Step::incomplete;
    if (bytes.front() != '{') return malformed("something that is not a JSON packet");
    const std::size_t end = bytes.find('\0', std::min(searched_, bytes.size()));
    const std::size_t length = end == std::string_view::npos ? bytes.size() : end;
    if (length > maxInput()) {
        return malformed("a packet of more than " + std::to_string(maxInput()) + " bytes");
    }
    if (end == std::string_view::npos) {
        searched_ = bytes.size();
        return Step::incomplete;
    }
    const wire::PacketResult read = wire::readPacket(bytes.substr(0, end));
    if (!read.packet) return malformed("a malformed packet: " + read.error);
    if (read.packet->data.size() > context_.maxEvent) {
        return malformed("data of more than " + std::to_string(context_.maxEvent) + " bytes");
    }
    wire::EventView event;
    event.flags = read.packet->broadcast ? wire::broadcastFlag : 0;
    event.sender = uuid_;
    event.name = read.packet->event;
    event.channel = home_.channel;
    event.to = read.packet->to;
    event.id = read.packet->id;
    event.replyTo = read.packet->replyTo;
    event.payload = read.packet->data;
    event.knownJson = true;
    std::string& built = context_.router.arena().next();
    wire::appendEvent(built, event);
    event.whole = built;
    if (home_.sink.onEvents(*this, wire::EventRun(event)) == 0) return Step::blocked;
    ++received_;
    bytes.remove_prefix(end + 1);
    searched_ = 0;
    return Step::next;
}

// -- binary ------------------------------------------------------------------------------------

Session::Step Session::frame(std::string_view& bytes) {
    wire::FrameView view;
    switch (wire::nextFrame(bytes, maxInput(), view)) {
        case wire::Walk::incomplete:
            return Step::incomplete;
        case wire::Walk::malformed:
            return malformed("a frame of impossible length");
        case wire::Walk::frame:
            break;
    }
    if (!greeted_ && view.type != wire::FrameType::hello) return malformed("no hello");
    if (view.type == wire::FrameType::event) return events(bytes, view);
    const Step done = onFrame(view);
    if (done == Step::next) bytes.remove_prefix(view.whole.size());
    return done;
}

Session::Step Session::onFrame(const wire::FrameView& view) {
    switch (view.type) {
        case wire::FrameType::hello:
            return onHello(view);
        case wire::FrameType::subscribe:
            return onSubscribe(view);
        case wire::FrameType::unsubscribe:
            return onUnsubscribe(view);
        case wire::FrameType::sync:
            return onSync(view);
        case wire::FrameType::event:
            break;  // not here: see `frame`
        case wire::FrameType::welcome:
        case wire::FrameType::synced:
        case wire::FrameType::gap:
        case wire::FrameType::refused:
        case wire::FrameType::goodbye:
        case wire::FrameType::unwanted:
            return malformed("a frame only the daemon sends");
    }
    return Step::next;  // of a later version: skipped by its length
}

Session::Step Session::onHello(const wire::FrameView& view) {
    const auto hello = wire::readHello(view);
    if (!hello || greeted_) return malformed("a malformed hello");
    queue_.becomeBinary();
    if (hello->minVersion > wire::protocolVersion || hello->maxVersion < wire::protocolVersion) {
        const std::string why = "protocol versions " + std::to_string(hello->minVersion) + " to " +
                                std::to_string(hello->maxVersion) +
                                "; this daemon speaks version " +
                                std::to_string(wire::protocolVersion);
        return malformed(why);
    }
    greeted_ = true;
    name_ = hello->agent;
    asksNotices_ = hello->capabilities & wire::noticesCapability;
    answerHello(hello->capabilities);
    if (asksNotices_) tellStanding();
    return Step::next;
}

// A descriptor goes with bytes that are written here and now. Where that cannot be (the client does
// not read, or the system has no such memory) it is done without.
void Session::answerHello(std::uint32_t wanted) {
    const bool wantsInterest = wanted & wire::interestCapability;
    if (wantsInterest && context_.generation.supported() && queue_.empty()) {
        const std::string bytes = std::string(wire::preface) + welcome(wire::interestCapability);
        const local::IoResult result = stream_.writeWith(bytes, context_.generation.memory());
        if (result.outcome == local::Io::done) {
            tellsUnwanted_ = true;
            if (result.count < bytes.size()) notice(bytes.substr(result.count));
            return;
        }
    }
    notice(std::string(wire::preface) + welcome());
}

std::string Session::welcome(std::uint32_t capabilities) const {
    wire::Welcome welcome;
    welcome.capabilities = capabilities | (asksNotices_ ? wire::noticesCapability : 0U);
    welcome.maxEvent = static_cast<std::uint32_t>(context_.maxEvent);
    welcome.client = uuid_;
    welcome.channel = home_.channel;
    welcome.host = context_.hostName;
    std::string frame;
    wire::appendWelcome(frame, welcome);
    return frame;
}

// Those it was not there to hear of, so that what it knows is complete from the start.
void Session::tellStanding() {
    for (const Notice& notice : context_.standing()) reply(notice.event, notice.json, {});
}

// The event frame that `bytes` begin with, and those behind it that are like it.
Session::Step Session::events(std::string_view& bytes, const wire::FrameView& view) {
    auto event = wire::readEvent(view);
    if (!event) return malformed("a malformed event frame");
    if (event->channel != home_.channel) return malformed("an event of another channel");
    if ((event->flags & ~wire::clientFlags) != 0 || !event->host.empty()) {
        return malformed("an event that claims to come from another host");
    }
    if (event->payload.size() > context_.maxEvent) {
        return malformed("data of more than " + std::to_string(context_.maxEvent) + " bytes");
    }
    for (const std::string_view address : {event->to, event->id, event->replyTo}) {
        if (address.size() > wire::maxAddress || !wire::validUtf8(address)) {
            return malformed("an address that is too long or not UTF-8");
        }
    }
    event->sender = uuid_;
    const wire::EventRun run = wire::readRun(*event, bytes, context_.maxEvent);
    // In place: the bytes lie in a buffer of ours, and the frames go out as they stand there.
    wire::stampSender(run.frames, uuid_);
    const std::size_t taken = home_.sink.onEvents(*this, run);
    received_ += taken;
    const bool all = taken == run.count;
    bytes.remove_prefix(all ? run.frames.size() : wire::firstFrames(bytes, taken).size());
    return all ? Step::next : Step::blocked;
}

Session::Step Session::onSubscribe(const wire::FrameView& view) {
    const auto subscription = wire::readSubscribe(view);
    if (!subscription) return malformed("a malformed subscription");
    // Compiling may take milliseconds: others get their turn in between.
    if (compiled_ == compilesPerTurn) return Step::later;
    ++compiled_;
    if (!subscriptions_) subscriptions_ = std::make_unique<Subscriptions>();
    const std::string why =
        subscriptions_->add(subscription->id, subscription->pattern, context_.patterns);
    if (!why.empty()) {
        std::string answer;
        wire::appendRefused(answer, {subscription->id, why});
        notice(answer);
    }
    context_.router.subscriptionsChanged();
    return Step::next;
}

Session::Step Session::onUnsubscribe(const wire::FrameView& view) {
    const auto id = wire::readUnsubscribe(view);
    if (!id) return malformed("a malformed unsubscription");
    if (subscriptions_) subscriptions_->remove(*id);
    context_.router.subscriptionsChanged();
    return Step::next;
}

Session::Step Session::onSync(const wire::FrameView& view) {
    const auto token = wire::readSync(view);
    if (!token) return malformed("a malformed sync");
    std::string answer;
    wire::appendSync(answer, wire::FrameType::synced, *token);
    notice(answer);
    return Step::next;
}

Session::Step Session::malformed(const std::string& what) {
    misbehaved(what);
    return Step::ended;
}

}  // namespace netcluster::daemon
