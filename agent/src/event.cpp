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

const Json& Event::data() const {
    if (value_) return *value_;
    if (!parsed_) {
        if (isBytes_) {
            parsed_ = Json::object({{"$bytes", wire::base64(payload_)}});
        } else {
            parsed_ = payload_.empty() ? Json() : parse(name_, payload_);
        }
    }
    return *parsed_;
}

std::string_view Event::text() const {
    if (!value_ && !isBytes_) return payload_.empty() ? std::string_view("null") : payload_;
    if (text_.empty()) text_ = data().dump();
    return text_;
}

std::span<const std::byte> Event::bytes() const {
    if (!isBytes_) return {};
    return std::as_bytes(std::span(payload_));
}

const std::string& Event::sender() const {
    if (sender_.empty() && senderBytes_) {
        wire::Uuid uuid;
        std::copy_n(senderBytes_, uuid.size(), uuid.begin());
        sender_ = wire::uuidText(uuid);
    }
    return sender_;
}

void EventAccess::fill(Event& event, const LocalEvent& from) {
    event.name_ = from.name;
    event.channel_ = from.channel;
    event.value_ = from.data;
    event.payload_ = from.bytes;
    event.isBytes_ = from.data == nullptr;
    event.senderBytes_ = from.sender ? from.sender->data() : nullptr;
    event.broadcast_ = from.broadcast;
    event.to_ = from.to;
    event.id_ = from.id;
    event.replyTo_ = from.replyTo;
    event.local_ = true;
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
