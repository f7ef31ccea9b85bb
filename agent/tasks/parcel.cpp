#include "parcel.hpp"

#include <utility>

#include "task_wire.hpp"

namespace netcluster::tasks {

Parcel Parcel::ofText(ReplyAddress address, std::string text) {
    Parcel parcel;
    parcel.address_ = std::move(address);
    parcel.text_ = std::make_unique<const std::string>(std::move(text));
    return parcel;
}

Parcel Parcel::ofData(ReplyAddress address, Json data) {
    Parcel parcel;
    parcel.address_ = std::move(address);
    parcel.data_ = std::move(data);
    return parcel;
}

void Parcel::begin(Time now) {
    if (!progress_) progress_ = now;
}

Json Parcel::next() {
    if (!text_) return data_;
    if (pieces_.empty()) pieces_ = cutIntoPieces(*text_, limit_);
    return pieceData(address_.node, next_, pieces_.size(), pieces_[next_]);
}

std::size_t Parcel::count() const {
    return std::max<std::size_t>(1, pieces_.size());
}

void Parcel::sent(Time now) {
    ++next_;
    lastSent_ = now;
    noRoomSince_.reset();
    if (!speaks_) progress_ = now;
}

void Parcel::heard(std::size_t part, std::size_t window, Time now) {
    speaks_ = true;
    if (part >= next_) return;
    heard_ = std::max(heard_, part + 1);
    if (window != 0) window_ = window;
    progress_ = now;
}

bool Parcel::cutSmaller() {
    if (!text_ || next_ != 0 || limit_ / 2 < leastPieceSize) return false;
    limit_ /= 2;
    pieces_.clear();
    return true;
}

void Parcel::noRoom(std::size_t queueLimit, Time now) {
    while (limit_ >= queueLimit && cutSmaller()) continue;
    if (!noRoomSince_) noRoomSince_ = now;
    if (now - *noRoomSince_ < roomTime) return;
    cutSmaller();
    noRoomSince_ = now;
}

Parcel::Time Parcel::due() const {
    if (next_ - heard_ < window_) return Time::min();
    // Its word was lost, perhaps: that of the next piece is one of all before it, too.
    if (speaks_) return lastSent_ + firstWord;
    return lastSent_ + (next_ <= fewUnheard ? firstWord : slowPace);
}

}  // namespace netcluster::tasks
