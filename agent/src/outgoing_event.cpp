#include "outgoing_event.hpp"

#include "json_scan.hpp"
#include "text.hpp"

namespace netcluster {
namespace {

[[noreturn]] void refuse(std::string_view event, const std::string& why) {
    throw Error("event '" + std::string(event) + "': " + why);
}

void checkText(std::string_view event, const std::string& text) {
    if (!wire::validUtf8(text)) refuse(event, "the data holds text that is not UTF-8");
}

// Depth is bounded, so these may recurse.
std::size_t checkTree(std::string_view event, const Json& value, std::size_t depthLeft);

std::size_t checkValue(std::string_view event, const Json& value, std::size_t depthLeft) {
    return isPlain(value) ? 1 : checkTree(event, value, depthLeft);
}

std::size_t checkMembers(std::string_view event, const Json& value, std::size_t depthLeft) {
    if (depthLeft == 0) {
        refuse(event, "the data is nested deeper than " + std::to_string(wire::maxDataDepth));
    }
    std::size_t least = 1 + (value.empty() ? 1 : value.size());  // brackets and commas
    // By way of what they are made of: Json's own iterator asks with every step which it is.
    if (const auto* members = value.get_ptr<const Json::object_t*>()) {
        for (const auto& [key, member] : *members) {
            checkText(event, key);
            least += key.size() + 3 + checkValue(event, member, depthLeft - 1);
        }
    } else {
        for (const Json& member : value.get_ref<const Json::array_t&>()) {
            least += checkValue(event, member, depthLeft - 1);
        }
    }
    return least;
}

std::size_t checkTree(std::string_view event, const Json& value, std::size_t depthLeft) {
    switch (value.type()) {
        case Json::value_t::string: {
            const auto& text = value.get_ref<const std::string&>();
            checkText(event, text);
            return text.size() + 2;
        }
        case Json::value_t::array:
        case Json::value_t::object:
            return checkMembers(event, value, depthLeft);
        case Json::value_t::binary:
            refuse(event, "the data holds a binary value, which JSON has not (use emitBytes)");
        case Json::value_t::discarded:
            refuse(event, "the data is a discarded JSON value");
        default:
            return 1;
    }
}

void checkAddress(std::string_view what, std::string_view address) {
    if (address.size() > maxAddress || !wire::validUtf8(address)) {
        throw Error(std::string(what) + " must be UTF-8 of at most " + std::to_string(maxAddress) +
                    " bytes");
    }
}

}  // namespace

void refuseReserved(std::string_view event) {
    refuse(event, "names that begin with nc- are reserved");
}

void checkAddresses(const EmitOptions& options) {
    checkAddress("to", options.to);
    checkAddress("id", options.id);
    checkAddress("replyTo", options.replyTo);
}

std::size_t checkTextOrTree(std::string_view event, const Json& data) {
    return checkTree(event, data, wire::maxDataDepth);
}

void refuseSize(std::string_view event, std::size_t size, std::size_t maxEvent) {
    refuse(event, "the data has " + std::to_string(size) + " bytes, more than the daemon takes (" +
                      std::to_string(maxEvent) + ")");
}

}  // namespace netcluster
