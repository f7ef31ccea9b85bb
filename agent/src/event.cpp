// Event: the codec between what travels and what a listener sees.
#include <algorithm>
#include <netcluster/error.hpp>

#include "event_access.hpp"
#include "json_scan.hpp"

namespace netcluster {
namespace {

Json parse(std::string_view name, std::string_view text) {
    // Looked at first because the parser takes any depth, and what users do with the tree then
    // (dump, compare) is recursive. Nobody else has looked at what a binary client sent.
    if (!wire::validJson(text)) {
        throw Error("the data of event '" + std::string(name) + "' is not JSON");
    }
    try {
        return Json::parse(text);
    } catch (const Json::exception& error) {  // a number out of range
        throw Error("the data of event '" + std::string(name) + "': " + error.what());
    }
}

}  // namespace

Event::Made& Event::made() const {
    if (!made_) made_ = std::make_unique<Made>();
    return *made_;
}

const Json& Event::parsed() const {
    auto& data = made().data;
    if (!data) {
        if (isBytes_) {
            data = Json::object({{"$bytes", wire::base64(payload_)}});
        } else {
            data = payload_.empty() ? Json() : parse(name_, payload_);
        }
    }
    return *data;
}

std::string_view Event::text() const {
    if (!value_ && !isBytes_) return payload_.empty() ? std::string_view("null") : payload_;
    std::string& text = made().text;
    if (text.empty()) text = data().dump();
    return text;
}

std::span<const std::byte> Event::bytes() const {
    if (!isBytes_) return {};
    return std::as_bytes(std::span(payload_));
}

const std::string& Event::sender() const {
    std::string& sender = made().sender;
    if (sender.empty() && senderBytes_) {
        wire::Uuid uuid;
        std::copy_n(senderBytes_, uuid.size(), uuid.begin());
        sender = wire::uuidText(uuid);
    }
    return sender;
}

void EventAccess::fill(Event& event, const wire::EventView& from) {
    event.name_ = from.name;
    event.channel_ = from.channel;
    event.host_ = from.host;
    event.payload_ = from.payload;
    event.isBytes_ = from.bytes();
    event.senderBytes_ = from.sender.data();
    event.broadcast_ = from.broadcast();
    event.to_ = from.to;
    event.id_ = from.id;
    event.replyTo_ = from.replyTo;
}

KeptEvent::KeptEvent(const wire::EventView& event) : frame_(event.whole) {
    if (frame_.empty()) wire::appendEvent(frame_, event);
    wire::FrameView frame;
    if (wire::nextFrame(frame_, frame_.size(), frame) == wire::Walk::frame) {
        if (const auto view = wire::readEvent(frame)) view_ = *view;
    }
}

}  // namespace netcluster
