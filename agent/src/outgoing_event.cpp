#include "outgoing_event.hpp"

#include <netcluster/control.hpp>

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

// Depth is bounded, so this may recurse.
std::size_t checkValue(std::string_view event, const Json& value, std::size_t depthLeft) {
    switch (value.type()) {
        case Json::value_t::string: {
            const auto& text = value.get_ref<const std::string&>();
            checkText(event, text);
            return text.size() + 2;
        }
        case Json::value_t::array:
        case Json::value_t::object:
            break;
        case Json::value_t::binary:
            refuse(event, "the data holds a binary value, which JSON has not (use emitBytes)");
        case Json::value_t::discarded:
            refuse(event, "the data is a discarded JSON value");
        default:
            return 1;
    }
    if (depthLeft == 0) {
        refuse(event, "the data is nested deeper than " + std::to_string(wire::maxDataDepth));
    }
    std::size_t least = 1 + (value.empty() ? 1 : value.size());  // brackets and commas
    for (auto member = value.begin(); member != value.end(); ++member) {
        if (value.is_object()) {
            checkText(event, member.key());
            least += member.key().size() + 3;
        }
        least += checkValue(event, *member, depthLeft - 1);
    }
    return least;
}

void checkAddress(std::string_view what, std::string_view address) {
    if (address.size() > maxAddress || !wire::validUtf8(address)) {
        throw Error(std::string(what) + " must be UTF-8 of at most " + std::to_string(maxAddress) +
                    " bytes");
    }
}

}  // namespace

void checkReserved(std::string_view event, std::string_view channel) {
    if (event.starts_with(wire::reservedPrefix) && channel != control::channel) {
        refuse(event, "names that begin with nc- are reserved");
    }
}

void checkAddresses(const EmitOptions& options) {
    if (!options.to.empty()) checkAddress("to", options.to);
    if (!options.id.empty()) checkAddress("id", options.id);
    if (!options.replyTo.empty()) checkAddress("replyTo", options.replyTo);
}

std::size_t checkData(std::string_view event, const Json& data) {
    return checkValue(event, data, wire::maxDataDepth);
}

void checkSize(std::string_view event, std::size_t size, std::size_t maxEvent) {
    if (size > maxEvent) {
        refuse(event, "the data has " + std::to_string(size) +
                          " bytes, more than the daemon takes (" + std::to_string(maxEvent) + ")");
    }
}

}  // namespace netcluster
