#include "answer_sender.hpp"

#include <algorithm>
#include <utility>

#include "task_wire.hpp"

namespace netcluster::tasks {
namespace {

// How often in a row the agent's queue may be full, each time after the daemon has said that it has
// taken all before: others of the process fill it.
constexpr std::size_t patience = 100;
constexpr std::chrono::seconds syncTime{30};

}  // namespace

void AnswerSender::result(const ReplyAddress& address, const Json& result) {
    try {
        // One event is enough for nearly all, and the agent knows what the daemon takes.
        if (emit(address, resultData(address.node, result)) == Emitted::accepted) return;
    } catch (const Error&) {
        // Too large; or it cannot be written at all, as dump will tell.
    }
    Parcel parcel;
    parcel.address = address;
    try {
        parcel.text = result.dump();
    } catch (const Json::exception& error) {
        return failed(address, std::string("the result cannot be sent: ") + error.what());
    }
    if (parcel.text.size() > maxResult) {
        return failed(address, "the result has " + std::to_string(parcel.text.size()) +
                                   " bytes, more than " + std::to_string(maxResult));
    }
    keep(std::move(parcel));
}

void AnswerSender::failed(const ReplyAddress& address, std::string_view why) {
    small(address, failedData(address.node, why));
}

void AnswerSender::unknown(const ReplyAddress& address, std::string_view name) {
    small(address, unknownData(address.node, name));
}

void AnswerSender::small(const ReplyAddress& address, const Json& data) {
    if (emit(address, data) == Emitted::accepted) return;
    Parcel parcel;
    parcel.address = address;
    parcel.whole = data;
    keep(std::move(parcel));
}

Emitted AnswerSender::emit(const ReplyAddress& address, const Json& data) {
    EmitOptions options;
    options.to = address.to;
    options.id = address.id;
    if (address.here) options.scope = Scope::process;
    return agent_.emit(address.event, data, options);
}

// -- what does not go at once

void AnswerSender::keep(Parcel parcel) {
    const std::size_t size = parcel.text.size() + parcel.address.id.size();
    bool full = false;
    {
        const std::lock_guard lock(mutex_);
        full = size > maxWaiting - waitingBytes_;
        if (!full) {
            waitingBytes_ += size;
            waiting_.push_back(std::move(parcel));
            if (std::exchange(pumping_, true)) return;
        }
    }
    if (!full) return pump();
    giveUp(parcel, "too many large results wait to be sent");
}

// Until nothing waits, or one has to wait for the daemon.
void AnswerSender::pump() {
    std::size_t window = pieceWindow;
    for (;;) {
        Parcel* parcel = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) {
                pumping_ = false;
                return;
            }
            parcel = &waiting_.front();
        }
        if (!pumpOne(*parcel, window)) return goOnLater();
        const std::lock_guard lock(mutex_);
        waitingBytes_ -= parcel->text.size() + parcel->address.id.size();
        waiting_.pop_front();
    }
}

// True when it is done with; false when it has to wait.
bool AnswerSender::pumpOne(Parcel& parcel, std::size_t& window) {
    for (;;) {
        switch (sendNext(parcel, window)) {
            case Sent::someMore:
                break;
            case Sent::whole:
                return true;
            case Sent::windowFull:
            case Sent::queueFull:
                return false;
            case Sent::never:
                giveUp(parcel, "the result cannot be sent");
                return true;
        }
    }
}

AnswerSender::Sent AnswerSender::sendNext(Parcel& parcel, std::size_t& window) {
    const bool inPieces = !parcel.text.empty();
    if (inPieces && parcel.pieces.empty()) parcel.pieces = cutIntoPieces(parcel.text, limit_);
    const std::size_t count = inPieces ? parcel.pieces.size() : 1;
    const std::size_t size = inPieces ? parcel.pieces[parcel.next].size() : 0;
    if (size > window && window != pieceWindow) return Sent::windowFull;
    try {
        const Emitted emitted =
            emit(parcel.address, inPieces ? pieceData(parcel.address.node, parcel.next, count,
                                                      parcel.pieces[parcel.next])
                                          : parcel.whole);
        if (emitted == Emitted::queueFull) {
            // A queue that is smaller than a piece never takes it.
            if (++parcel.refusals > 2) smaller(parcel);
            return parcel.refusals > patience ? Sent::never : Sent::queueFull;
        }
    } catch (const Error&) {
        return smaller(parcel) ? Sent::someMore : Sent::never;
    } catch (const std::exception&) {
        return Sent::never;  // memory is out
    }
    parcel.refusals = 0;
    window -= std::min(window, size);
    return ++parcel.next == count ? Sent::whole : Sent::someMore;
}

// Cuts it anew, when none of its pieces is out.
bool AnswerSender::smaller(Parcel& parcel) {
    if (parcel.next != 0 || parcel.text.empty() || limit_ / 2 < leastPieceSize) return false;
    limit_ /= 2;
    parcel.pieces.clear();
    return true;
}

// If not even that can be sent, the caller's deadline tells it.
void AnswerSender::giveUp(const Parcel& parcel, std::string_view why) {
    try {
        emit(parcel.address, failedData(parcel.address.node, why));
    } catch (const std::exception&) {
    }
}

void AnswerSender::goOnLater() {
    agent_.syncAsync(
        [weak = weak_from_this()](const std::string& error) {
            const auto self = weak.lock();
            if (!self) return;
            const Gate::Pass pass(*self->gate_);
            if (pass) self->resume(error);
        },
        syncTime);
}

// Who asked was told our old connection; there is nobody to tell.
void AnswerSender::resume(const std::string& error) {
    if (error.empty()) return pump();
    std::deque<Parcel> dropped;
    {
        const std::lock_guard lock(mutex_);
        dropped.swap(waiting_);
        waitingBytes_ = 0;
        pumping_ = false;
    }
    throw Error(std::to_string(dropped.size()) + " answers of tasks could not be sent: " + error);
}

}  // namespace netcluster::tasks
