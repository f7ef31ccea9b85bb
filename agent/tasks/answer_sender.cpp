#include "answer_sender.hpp"

#include <system_error>
#include <utility>

namespace netcluster::tasks {
namespace {

Parcel::Time now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

void AnswerSender::result(const ReplyAddress& address, const Json& result) {
    if (address.here || fits(result, pieceSize)) {
        try {
            if (emit(address, resultData(address.node, result)) == Emitted::accepted) return;
        } catch (const Error&) {
            // The daemon takes less than others, or it is nested deep; or it cannot be written at
            // all, as dump will tell.
        }
    }
    const std::string tooLarge = "the result has more than " + std::to_string(maxResult) + " bytes";
    if (!fits(result, maxResult)) return failed(address, tooLarge);
    std::string text;
    try {
        text = result.dump();
    } catch (const Json::exception& error) {
        return failed(address, std::string("the result cannot be sent: ") + error.what());
    }
    if (text.size() > maxResult) return failed(address, tooLarge);
    if (address.here) {
        emit(address, pieceData(address.node, 0, 1, text));
    } else {
        keep(Parcel::ofText(address, std::move(text)));
    }
}

void AnswerSender::failed(const ReplyAddress& address, std::string_view why) {
    small(address, failedData(address.node, why));
}

void AnswerSender::unknown(const ReplyAddress& address, std::string_view name) {
    small(address, unknownData(address.node, name));
}

void AnswerSender::small(const ReplyAddress& address, const Json& data) {
    if (emit(address, data) == Emitted::accepted) return;
    keep(Parcel::ofData(address, data));
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
    const std::lock_guard lock(mutex_);
    if (parcel.size() > maxWaiting - bytes_) {
        emit(parcel.address(),
             failedData(parcel.address().node, "too many large results wait to be sent"));
        return;
    }
    bytes_ += parcel.size();
    Line& line = lines_[parcel.address().to];
    line.push_back(std::move(parcel));
    if (line.size() == 1) pump(line, now());
}

// As far as it may go now. The line is gone when it is empty.
void AnswerSender::pump(Line& line, Time now) {
    const std::string caller = line.front().address().to;
    while (!line.empty()) {
        Parcel& first = line.front();
        if (!pumpOne(first, now)) {
            wake(std::min(std::max(first.due(), now + Parcel::tryAgain), now + Parcel::longest));
            return;
        }
        pop(line);
    }
    lines_.erase(caller);
}

// True when it is done with; false when it has to wait.
bool AnswerSender::pumpOne(Parcel& parcel, Time now) {
    parcel.begin(now);
    if (parcel.givenUp(now)) return true;
    while (!parcel.whole()) {
        if (!parcel.mayGo(now)) return false;
        try {
            if (emit(parcel.address(), parcel.next()) == Emitted::queueFull) {
                parcel.noRoom(queueLimit_, now);
                return false;
            }
            parcel.sent(now);
        } catch (const Error& error) {
            if (parcel.cutSmaller()) continue;
            giveUp(parcel.address(), error.what());
            return true;
        } catch (const std::exception&) {
            return true;  // memory is out: the caller's deadline tells it
        }
    }
    return true;
}

void AnswerSender::giveUp(const ReplyAddress& address, const std::string& why) {
    try {
        emit(address, failedData(address.node, "the result cannot be sent: " + why));
    } catch (const std::exception&) {
        // Not even that: the caller's deadline tells it.
    }
}

void AnswerSender::pop(Line& line) {
    bytes_ -= line.front().size();
    line.pop_front();
}

void AnswerSender::onProgress(const std::string& caller, const Progress& progress) {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(toCaller(caller));
    if (found == lines_.end()) return;
    Line& line = found->second;
    for (auto parcel = line.begin(); parcel != line.end(); ++parcel) {
        if (parcel->address().id != progress.id || parcel->address().node != progress.node) {
            continue;
        }
        if (progress.enough) {
            bytes_ -= parcel->size();
            line.erase(parcel);
        } else {
            parcel->heard(progress.part, progress.window, now());
        }
        break;
    }
    if (line.empty()) {
        lines_.erase(found);
    } else {
        pump(line, now());
    }
}

// -- the alarm

void AnswerSender::wake(Time when) {
    try {
        if (!alarm_) {
            alarm_ = std::make_unique<Alarm>([weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->ring();
            });
        }
        alarm_->start();
        alarm_->set(when);
    } catch (const std::system_error&) {
        // No thread: what the callers say is all that drives it on.
    }
}

void AnswerSender::ring() {
    const Gate::Pass pass(*gate_);
    if (!pass) return;
    const std::lock_guard lock(mutex_);
    for (auto line = lines_.begin(); line != lines_.end();) {
        pump((line++)->second, now());
    }
}

void AnswerSender::close() {
    std::unique_ptr<Alarm> alarm;
    std::map<std::string, Line> lines;
    const std::lock_guard lock(mutex_);
    alarm.swap(alarm_);
    lines.swap(lines_);
    bytes_ = 0;
}

}  // namespace netcluster::tasks
