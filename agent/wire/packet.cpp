#include "packet.hpp"

#include <array>

#include "json_scan.hpp"

namespace netcluster::wire {
namespace {

// The envelope's keys, one small reader each. A reader returns null or what is wrong.
using Reader = const char* (*)(std::string_view value, Packet& packet);

const char* readText(std::string_view value, std::string& into, std::size_t limit,
                     const char* otherwise) {
    if (value.front() != '"') return otherwise;
    into = unescape(value);
    return into.size() <= limit ? nullptr : otherwise;
}

const char* readEventKey(std::string_view value, Packet& packet) {
    static constexpr const char* wrong = "\"event\" must be a string of 1 to 255 bytes without NUL";
    if (const char* why = readText(value, packet.event, maxEventName, wrong)) return why;
    return validEventName(packet.event) ? nullptr : wrong;
}

const char* readData(std::string_view value, Packet& packet) {
    packet.data = value;
    return nullptr;
}

const char* readBroadcast(std::string_view value, Packet& packet) {
    packet.broadcast = value == "true";
    return value == "true" || value == "false" || value == "null"
               ? nullptr
               : "\"broadcast\" must be true or false";
}

const char* readAddress(std::string_view value, std::string& into) {
    return value == "null" ? nullptr
                           : readText(value, into, maxAddress,
                                      "\"to\", \"id\" and \"replyto\" must be strings of at most "
                                      "1024 bytes");
}

const char* readTo(std::string_view value, Packet& packet) {
    return readAddress(value, packet.to);
}
const char* readId(std::string_view value, Packet& packet) {
    return readAddress(value, packet.id);
}
const char* readReplyTo(std::string_view value, Packet& packet) {
    return readAddress(value, packet.replyTo);
}

struct Key {
    std::string_view name;
    Reader read;
};
constexpr std::array<Key, 6> keys{{{"event", readEventKey},
                                   {"data", readData},
                                   {"broadcast", readBroadcast},
                                   {"to", readTo},
                                   {"id", readId},
                                   {"replyto", readReplyTo}}};

std::string place(const char* why, std::size_t position) {
    return std::string(why) + " (byte " + std::to_string(position) + ")";
}

void appendField(std::string& out, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out += ",\"";
    out += key;
    out += "\":";
    appendQuoted(out, value);
}

void appendNoticeHead(std::string& out, std::string_view event, std::string_view channel) {
    out += R"({"channel":")";
    out += channel;
    out += R"(","broadcast":false,"event":")";
    out += event;
    out += R"(","data":)";
}

}  // namespace

PacketResult readPacket(std::string_view text) {
    Packet packet;
    std::array<bool, keys.size()> seen{};
    ObjectScanner members(text, maxDataDepth);
    while (members.next()) {
        // A key written with escapes still names the same key: compare what it means.
        const bool escaped = members.key().find('\\') != std::string_view::npos;
        const std::string meaning =
            escaped ? unescape("\"" + std::string(members.key()) + "\"") : std::string();
        const std::string_view name = escaped ? std::string_view(meaning) : members.key();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (name != keys[i].name) continue;
            if (seen[i]) return {{}, "\"" + std::string(name) + "\" stands twice"};
            seen[i] = true;
            if (const char* why = keys[i].read(members.value(), packet)) return {{}, why};
        }
    }
    if (members.failed()) return {{}, place(members.error(), members.position())};
    if (!seen[0]) return {{}, "no \"event\""};
    return {std::move(packet), {}};
}

bool appendPacket(std::string& out, const EventView& event) {
    const bool trusted = event.bytes() || event.payload.empty() || event.knownJson;
    if (!trusted && !validJson(event.payload)) return false;
    out += R"({"emmiteruuid":")";
    out += uuidText(event.sender);
    out += R"(","channel":")";
    out += event.channel;  // only [A-Za-z0-9._-]: nothing to escape
    out += R"(","broadcast":)";
    out += event.broadcast() ? "true" : "false";
    out += R"(,"event":)";
    appendQuoted(out, event.name);
    appendField(out, "host", event.host);
    appendField(out, "to", event.to);
    appendField(out, "id", event.id);
    appendField(out, "replyto", event.replyTo);
    out += R"(,"data":)";
    if (event.bytes()) {
        out += R"({"$bytes":")";
        out += base64(event.payload);
        out += "\"}";
    } else {
        out += event.payload.empty() ? std::string_view("null") : event.payload;
    }
    out += '}';
    out += '\0';
    return true;
}

void appendGapPacket(std::string& out, const Gap& gap, std::string_view channel) {
    appendNoticeHead(out, "nc-gap", channel);
    out += R"({"count":)" + std::to_string(gap.count);
    out += R"(,"first":)" + std::to_string(gap.first);
    out += R"(,"last":)" + std::to_string(gap.last) + "}}";
    out += '\0';
}

std::string refusedText(std::string_view event, std::string_view why) {
    std::string text = R"({"event":)";
    appendQuoted(text, event);
    text += R"(,"error":)";
    appendQuoted(text, why);
    return text + '}';
}

void appendErrorPacket(std::string& out, std::string_view reason, std::string_view channel) {
    appendNoticeHead(out, "nc-error", channel);
    out += R"({"error":)";
    appendQuoted(out, reason);
    out += "}}";
    out += '\0';
}

}  // namespace netcluster::wire
