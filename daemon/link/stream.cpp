#include "stream.hpp"

#include <algorithm>

#include "relayed.hpp"

namespace netcluster::daemon::link {
namespace {

// First step of growth; each later one doubles. Reason: most messages that need it fit.
constexpr std::size_t firstStep = std::size_t{4} << 10;
// What is kept for the next one. Reason: in a flood of small events one in each datagram.
constexpr std::size_t keptRoom = std::size_t{64} << 10;

}  // namespace

void StreamReader::read(std::string_view content, std::uint16_t start, std::uint64_t sequence) {
    sequence_ = sequence;
    contentAt_ = content.data();
    if (lost_) {
        if (start == noStart) return;
        content.remove_prefix(start);
        lost_ = false;
    } else if (!partial_.empty()) {
        content = complete(content);
    }
    if (!lost_) readMessages(content);
}

// Takes what is missing of the message begun before; returns what follows it.
std::string_view StreamReader::complete(std::string_view content) {
    for (;;) {
        wire::FrameView message;
        std::size_t needed = 0;
        switch (wire::nextFrame(partial_, maxMessage_, message, &needed)) {
            case wire::Walk::frame:
                number_ = partialNumber_;
                out_.onMessage(message);
                release();
                return content;
            case wire::Walk::malformed:
                lose(Bad::event);
                return {};
            case wire::Walk::incomplete:
                break;
        }
        // Of one whose length is not known yet, first that.
        const std::string_view piece = content.substr(0, needed - partial_.size());
        if (piece.empty()) return {};
        if (!keep(piece)) {
            lose(Bad::noMemory);
            return {};
        }
        content.remove_prefix(piece.size());
    }
}

void StreamReader::readMessages(std::string_view content) {
    while (!content.empty()) {
        wire::FrameView message;
        switch (wire::nextFrame(content, maxMessage_, message)) {
            case wire::Walk::frame:
                number_ = numberAt(content.data());
                content.remove_prefix(message.whole.size());
                out_.onMessage(message);
                continue;
            case wire::Walk::incomplete:
                partialNumber_ = numberAt(content.data());
                if (!keep(content)) lose(Bad::noMemory);
                return;
            case wire::Walk::malformed:
                return lose(Bad::event);
        }
    }
}

std::uint64_t StreamReader::numberAt(const char* message) const {
    return eventNumber(sequence_, static_cast<std::size_t>(message - contentAt_));
}

bool StreamReader::keep(std::string_view bytes) {
    const std::size_t needed = partial_.size() + bytes.size();
    if (needed > charged_) {
        // Never more than the largest message: room for one of those is always meant to be there.
        const std::size_t wanted =
            std::min(std::max({needed, firstStep, 2 * charged_}), maxMessage_);
        if (!budget_.take(wanted - charged_)) return false;
        charged_ = wanted;
        partial_.reserve(wanted);
    }
    partial_.append(bytes);
    return true;
}

void StreamReader::missing() {
    if (!partial_.empty()) ++incomplete_;
    release();
    lost_ = true;
}

void StreamReader::lose(Bad reason) {
    missing();
    out_.onBadStream(reason);
}

void StreamReader::release() {
    budget_.give(charged_);
    charged_ = 0;
    partial_.clear();
    if (partial_.capacity() > keptRoom) std::string().swap(partial_);
}

}  // namespace netcluster::daemon::link
