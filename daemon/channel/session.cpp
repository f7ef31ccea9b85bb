#include "session.hpp"

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "channel.hpp"
#include "dump.hpp"
#include "log.hpp"
#include "router.hpp"

namespace netcluster::daemon {
namespace {

constexpr std::size_t maxPieces = 1024;  // one system call takes no more

}  // namespace

Session::Session(SessionContext& context, SessionHome home, local::Stream stream,
                 const wire::Uuid& uuid)
    : context_(context),
      home_(home),
      stream_(std::move(stream)),
      uuid_(uuid),
      queue_(context.budget, context.clientQueue, home_.channel),
      peer_(stream_.peer()) {}

Session::~Session() = default;

void Session::start() {
    ++context_.clients;
    context_.router.join(home_.channel, *this);
    waitReadable();
}

std::string Session::label() const {
    std::string text = home_.channel + "/" + wire::uuidText(uuid_);
    if (peer_) text += " (pid " + std::to_string(peer_->pid) + ")";
    return text;
}

// -- waiting -----------------------------------------------------------------------------------

void Session::waitReadable() {
    if (reading_ || closed_ || closing_ || paused_) return;
    reading_ = true;
    stream_.waitReadable([self = self()](const boost::system::error_code& error) {
        self->reading_ = false;
        if (!error && !self->closed_) self->readable();
    });
}

void Session::waitWritable() {
    if (writing_ || closed_) return;
    writing_ = true;
    stream_.waitWritable([self = self()](const boost::system::error_code& error) {
        self->writing_ = false;
        if (!error && !self->closed_) self->write();
    });
}

void Session::arm(Timer& timer, std::chrono::milliseconds after, void (Session::*then)()) {
    if (!timer) timer = std::make_unique<boost::asio::steady_timer>(context_.io);
    timer->expires_after(after);
    timer->async_wait([self = self(), then](const boost::system::error_code& error) {
        if (!error && !self->closed_) ((*self).*then)();
    });
}

// -- receiving events --------------------------------------------------------------------------

bool Session::wants(std::string_view event) const {
    return encoding_ != Encoding::binary || (subscriptions_ && subscriptions_->match(event));
}

bool Session::deliver(Delivery& events) {
    if (!takes()) return false;
    std::string_view bytes = takesFrames() ? events.frames() : events.packet();
    if (bytes.empty()) return false;  // its sender is dealt with
    const bool remote = events.first().flags & wire::remoteFlag;
    std::size_t count = events.count();
    if (count > 1 && !queue_.makeRoom(bytes.size(), count)) count = 1;
    while (!bytes.empty()) {
        const std::string_view part =
            count == events.count() ? bytes : bytes.substr(0, wire::frameSize(bytes));
        if (!enqueue(part, count, remote)) return false;
        bytes.remove_prefix(part.size());
    }
    return !std::exchange(touched_, true);
}

// Whoever administers is told; of the others, who asked. Nothing comes before the welcome.
bool Session::hearsNotices() const {
    if (home_.channel != config::controlChannel) return asksNotices_;
    return encoding_ != Encoding::binary || greeted_;
}

bool Session::takes() const {
    return !closed_ && !closing_ && !deaf_ && doom_.empty();
}

// False when it takes nothing any more, and may be gone.
bool Session::enqueue(std::string_view events, std::size_t count, bool remote) {
    if (!queue_.makeRoom(events.size(), count)) {
        const auto alive = self();
        offerEarly();
        if (closed_ || deaf_) return false;
    }
    // The link is held up for a moment at most: what comes from there pushes out what is oldest.
    const auto policy = remote && home_.slowConsumer == config::SlowConsumer::block
                            ? config::SlowConsumer::dropOldest
                            : home_.slowConsumer;
    switch (queue_.push(events, count, policy)) {
        case SendQueue::Pushed::queued:
            break;
        case SendQueue::Pushed::dropped:
            noteDrops();
            break;
        case SendQueue::Pushed::overflow:
            doom("too slow: its queue is full");
            break;
    }
    return true;
}

// One read of a sender may hold more than our queue may: what the kernel takes now needs no room.
void Session::offerEarly() {
    if (!writing_ && !queue_.empty()) write();
}

void Session::reply(std::string_view event, std::string_view json, std::string_view id) {
    wire::EventView answer;
    answer.name = event;
    answer.channel = home_.channel;
    answer.id = id;
    answer.payload = json;
    std::string& bytes = context_.router.arena().next();
    wire::appendEvent(bytes, answer);
    answer.whole = bytes;
    const wire::EventRun one(answer);
    Delivery delivery(one, context_.router.arena());
    if (deliver(delivery)) context_.router.awaitsFlush(*this);
}

void Session::notice(const std::string& bytes) {
    if (deaf_) return;
    if (!queue_.pushNotice(bytes)) doom("asks and does not read the answers");
    touched_ = true;
}

// Events are dropped when they come, and also later, when a stalled queue gives its room to others.
void Session::noteDrops() {
    const std::uint64_t before = std::exchange(dropsNoted_, queue_.eventsDropped());
    if (before == dropsNoted_ || std::exchange(dropLogged_, true)) return;
    log::warn("{}: slow consumer: events for it are dropped, {} so far", label(), dropsNoted_);
}

void Session::flush() {
    const auto alive = self();
    touched_ = false;
    if (closed_) return;
    if (!doom_.empty()) return close(doom_);
    if (writing_) {
        queue_.settle();
    } else {
        write();
    }
}

void Session::write() {
    static thread_local std::vector<std::string_view> pieces;
    bool moved = false;
    while (!queue_.empty()) {
        pieces.clear();
        queue_.gather(pieces, maxPieces);
        std::size_t offered = 0;
        for (const std::string_view piece : pieces) offered += piece.size();
        const local::IoResult result = stream_.write(pieces);
        if (result.outcome == local::Io::closed) return becomeDeaf();
        if (result.outcome == local::Io::failed) {
            log::warn("{}: {}", label(), result.reason());
            return finish();
        }
        queue_.wrote(result.count);
        moved = moved || result.count != 0;
        if (result.count < offered) {
            queue_.settle();
            waitWritable();
            if (!moved) return watch();
            break;
        }
    }
    if (moved) progressed();
}

// -- slow consumers ----------------------------------------------------------------------------

bool Session::holdsSenders(const wire::EventRun& events, std::size_t& claimed) {
    if (home_.slowConsumer != config::SlowConsumer::block || stalled_ || !takes()) return false;
    if (patient_ && queue_.backlogBytes() > shortBacklog) return true;
    std::size_t bytes = events.frames.size();
    // A packet spells out what a frame packs, and opaque bytes become base64.
    if (!takesFrames()) bytes = bytes * 4 / 3 + 2048;
    return !queue_.makeSafeRoom(bytes, events.count, claimed);
}

void Session::awaitRoom(Waiter& sender) {
    if (queue_.empty()) return context_.budget.awaitRoom(sender);  // others have used it up
    held_.push_back(sender.weak_from_this());
    watch();
    if (patient_) bePatient();
}

bool Session::holdsLink() const {
    if (home_.slowConsumer != config::SlowConsumer::block || stalled_ || tooSlowForLink_ ||
        !takes() || queue_.empty()) {
        return false;
    }
    return queue_.crowded() || (patient_ && queue_.backlogBytes() > shortBacklog);
}

void Session::holdLink(Waiter& link) {
    awaitRoom(link);
    if (!std::exchange(holdsLinkNow_, true)) linkHeldSince_ = std::chrono::steady_clock::now();
    if (std::exchange(timingLink_, true)) return;
    arm(linkTimer_, linkHold(), &Session::endLinkHold);
}

// Other hosts, and the other clients of this one, wait for us meanwhile: not longer than that.
void Session::endLinkHold() {
    timingLink_ = false;
    if (!holdsLinkNow_ || closing_) return;
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - linkHeldSince_);
    if (since < linkHold()) {
        timingLink_ = true;
        return arm(linkTimer_, linkHold() - since, &Session::endLinkHold);
    }
    tooSlowForLink_ = true;
    releaseSenders();
}

// The timer is left to run when the client catches up: it will see that.
void Session::bePatient() {
    if (timingPatience_) return;
    timingPatience_ = true;
    caughtUp_ = false;
    arm(patienceTimer_, patience, &Session::endPatience);
}

void Session::endPatience() {
    timingPatience_ = false;
    if (held_.empty() || closing_) return;
    if (caughtUp_) return bePatient();
    patient_ = false;
    if (queue_.drained()) releaseSenders();
}

// While something is owed: has the client taken nothing for `stalltimeout`? The timer is left to
// run, not set anew with every progress, which would cost a system call each time.
void Session::watch() {
    if (closing_ || watched_) return;
    watched_ = true;
    noteProgress();
    arm(timer_, context_.stallTimeout, &Session::checkProgress);
}

void Session::noteProgress() {
    unread_ = stream_.unread();
    lastProgress_ = std::chrono::steady_clock::now();
}

void Session::checkProgress() {
    watched_ = false;
    if (closing_ || queue_.empty()) return;
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - lastProgress_);
    if (since >= context_.stallTimeout) return noProgress();
    watched_ = true;
    arm(timer_, context_.stallTimeout - since, &Session::checkProgress);
}

void Session::noProgress() {
    // This loop may have been the one that was busy; and the kernel calls a socket writable only
    // when most of it has been read, so what the client reads is looked up.
    const std::size_t before = queue_.cost();
    const bool reads = stream_.unread() < unread_;
    write();
    if (closed_ || deaf_ || queue_.cost() < before) return;
    if (reads) return watch();
    queue_.setIdle(true);
    if (held_.empty()) return;
    stalled_ = true;
    dropLogged_ = true;
    log::warn(
        "{}: slow consumer: took nothing for {} ms; it holds nobody up any more and loses "
        "its oldest events until it has caught up",
        label(), context_.stallTimeout.count());
    releaseSenders();
}

void Session::progressed() {
    noteDrops();
    queue_.setIdle(false);
    if (watched_) noteProgress();
    if (queue_.empty()) {
        if (closing_) return finish();
        stalled_ = tooSlowForLink_ = false;
        patient_ = caughtUp_ = true;
        if (std::exchange(dropLogged_, false)) {
            log::info("{}: has caught up; {} events for it were dropped so far", label(),
                      queue_.eventsDropped());
        }
    } else {
        watch();
    }
    if (!held_.empty() && (patient_ ? queue_.empty() : queue_.drained())) releaseSenders();
}

void Session::releaseSenders() {
    holdsLinkNow_ = false;
    for (const auto& waiting : std::exchange(held_, {})) {
        if (const auto sender = waiting.lock()) sender->resume();
    }
}

void Session::takeLimits(bool newMaxEvent) {
    queue_.setCap(context_.clientQueue);
    if (!newMaxEvent || !greeted_ || closing_) return;
    notice(welcome());
    flush();
}

// -- the end -----------------------------------------------------------------------------------

// One in a turn at most, and none while the client is owed anything: the next event of that name
// gives another occasion.
void Session::unwanted(std::string_view event, std::uint8_t reach, std::uint64_t generation) {
    if (!tellsUnwanted_ || !queue_.empty() || !takes()) return;
    std::string bytes;
    wire::appendUnwanted(bytes, {generation, reach, event});
    notice(bytes);
}

void Session::refused(const wire::EventView& event, std::string_view why) {
    const bool first = refused_++ == 0;
    if (first) {
        log::warn("{}: emitted \"{}\": {}; refused, as others will be", label(),
                  printable(event.name, wire::maxEventName), why);
    }
    // A 1.x client writes no `to`, and expects no answer; the agent library looks before it sends.
    if (encoding_ != Encoding::json || event.to.empty()) return;
    // Its first mistake, and then those only to which it waits for an answer.
    if (!std::exchange(toldRefused_, true) || !event.id.empty()) {
        reply(wire::refusedNotice, wire::refusedText(event.name, why), event.id);
    }
}

void Session::misbehaved(std::string_view how) {
    doom("sent " + std::string(how));
    touched_ = true;
}

void Session::doom(const std::string& reason) {
    if (!doom_.empty() || closing_) return;
    doom_ = reason;
    log::warn("{}: disconnected: {}", label(), reason);
}

void Session::close(std::string reason) {
    const auto alive = self();
    if (closed_ || closing_) return;
    closing_ = true;
    doom_.clear();
    context_.router.leave(home_.channel, *this);
    releaseSenders();
    std::string last;
    if (encoding_ == Encoding::binary) {
        if (!greeted_) last = wire::preface;
        wire::appendGoodbye(last, reason);
    } else {
        wire::appendErrorPacket(last, reason, home_.channel);
    }
    if (!reason.empty() && !queue_.pushNotice(last)) return finish();
    if (queue_.empty()) return finish();
    arm(timer_, drainTime, &Session::finish);
    if (!writing_) write();
    if (!closed_) queue_.settle();
}

// A program that emits and ends at once has closed before we read what it said. So a failed write
// ends only the writing; the reading ends the session.
void Session::becomeDeaf() {
    if (closing_) return finish();
    deaf_ = true;
    context_.router.leave(home_.channel, *this);
    queue_.abandon();
    releaseSenders();
}

void Session::finish() {
    const auto alive = self();
    if (std::exchange(closed_, true)) return;
    noteDrops();
    if (!closing_) context_.router.leave(home_.channel, *this);
    queue_.setIdle(false);
    releaseSenders();
    for (Timer* timer : {&timer_, &patienceTimer_, &linkTimer_, &inputTimer_}) {
        if (*timer) (*timer)->cancel();
    }
    stream_.close();
    --context_.clients;
    home_.owner.ended(*this);
}

// -- what ncctl shows --------------------------------------------------------------------------

nlohmann::json Session::summary() const {
    nlohmann::json json{{"client", wire::uuidText(uuid_)},
                        {"name", name_},
                        {"encoding", encoding_ == Encoding::binary ? "binary" : "json"},
                        {"queued", queue_.cost()}};
    if (peer_) {
        json["pid"] = peer_->pid;
        if (peer_->uid) json["uid"] = *peer_->uid;
        if (peer_->gid) json["gid"] = *peer_->gid;
    }
    return json;
}

nlohmann::json Session::details() const {
    nlohmann::json json = summary();
    json["channel"] = home_.channel;
    json["connected"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
    json["patterns"] =
        encoding_ != Encoding::binary
            ? std::vector<std::string>{".*"}
            : (subscriptions_ ? subscriptions_->texts() : std::vector<std::string>{});
    json["received"] = received_;
    json["delivered"] = queue_.eventsMeant() - queue_.eventsDropped();
    json["dropped"] = queue_.eventsDropped();
    json["refused"] = refused_;
    json["stalled"] = stalled_;
    return json;
}

}  // namespace netcluster::daemon
