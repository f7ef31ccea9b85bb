#include "dump.hpp"

#include <nlohmann/json.hpp>

#include "log.hpp"

namespace netcluster::daemon {
namespace {

// Enough to recognise an event by, little enough not to fill the log with payload.
constexpr std::size_t maxDumped = 256;

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : text.substr(0, limit)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    if (text.size() > limit) out += "… (" + std::to_string(text.size()) + " bytes)";
    return out;
}

std::string jsonText(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void dumpEvent(std::string_view channel, const wire::EventView& event) {
    log::info("{}: {} {} from {}{}{}", channel, printable(event.name, wire::maxEventName),
              event.bytes() ? "(" + std::to_string(event.payload.size()) + " opaque bytes)"
                            : printable(event.payload, maxDumped),
              wire::uuidText(event.sender), event.host.empty() ? "" : " on ", event.host);
}

}  // namespace netcluster::daemon
