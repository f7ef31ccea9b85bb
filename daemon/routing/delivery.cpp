#include "delivery.hpp"

#include <cassert>

#include "packet.hpp"

namespace netcluster::daemon {

std::string& TurnArena::next() {
    if (used_ == strings_.size()) strings_.emplace_back();
    std::string& string = strings_[used_++];
    string.clear();
    return string;
}

void TurnArena::reset() {
    if (used_ == 0) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < used_; ++i) {
        kept += strings_[i].capacity();
        if (kept > maxKeptBytes) std::string().swap(strings_[i]);
    }
    if (strings_.size() > maxKeptStrings) strings_.resize(maxKeptStrings);
    used_ = 0;
}

std::string_view Delivery::packet() {
    assert(count() == 1);
    if (packetState_ == PacketState::unknown) {
        std::string& text = arena_.next();
        const bool made = wire::appendPacket(text, first());
        packetState_ = made ? PacketState::made : PacketState::impossible;
        packet_ = text;
    }
    return packet_;
}

}  // namespace netcluster::daemon
