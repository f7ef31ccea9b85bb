#include "datagram.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "little_endian.hpp"

namespace netcluster::daemon::link {
namespace {

constexpr std::size_t packetOffset = 24;

// Takes values off the front of a body; `good` turns false at the first overrun and stays so.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <typename Integer>
    Integer integer() {
        const std::string_view bytes = take(sizeof(Integer));
        return good_ ? wire::loadLittle<Integer>(bytes.data()) : Integer{};
    }

    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            good_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::string_view shortText() { return take(integer<std::uint8_t>()); }
    std::string_view rest() const { return rest_; }
    bool good() const { return good_; }

  private:
    std::string_view rest_;
    bool good_ = true;
};

template <typename Integer>
void append(std::string& out, Integer value) {
    char bytes[sizeof(Integer)];
    wire::storeLittle(bytes, value);
    out.append(bytes, sizeof(Integer));
}

void appendUuid(std::string& out, const wire::Uuid& uuid) {
    for (const std::uint8_t byte : uuid) out += static_cast<char>(byte);
}

void appendShortText(std::string& out, std::string_view text) {
    assert(text.size() <= 255);
    append(out, static_cast<std::uint8_t>(text.size()));
    out.append(text);
}

bool printable(std::string_view text) {
    return wire::validUtf8(text) && std::all_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
           });
}

}  // namespace

std::string_view badName(Bad reason) {
    switch (reason) {
        case Bad::none:
            return "none";
        case Bad::truncated:
            return "truncated";
        case Bad::tooShort:
            return "tooshort";
        case Bad::foreign:
            return "foreign";
        case Bad::version:
            return "version";
        case Bad::type:
            return "type";
        case Bad::flags:
            return "flags";
        case Bad::encrypted:
            return "encrypted";
        case Bad::number:
            return "number";
        case Bad::body:
            return "body";
        case Bad::hostName:
            return "hostname";
        case Bad::fragment:
            return "fragment";
        case Bad::event:
            return "event";
        case Bad::eventName:
            return "eventname";
        case Bad::reservedName:
            return "reservedname";
        case Bad::channel:
            return "channel";
        case Bad::tooLarge:
            return "toolarge";
        case Bad::json:
            return "json";
        case Bad::tooManySessions:
            return "toomanysessions";
        case Bad::noMemory:
            return "nomemory";
        case Bad::afterEnd:
            return "afterend";
    }
    return "unknown";
}

bool validHostName(std::string_view name) {
    return !name.empty() && name.size() <= maxHostName && printable(name);
}

Bad readHeader(std::string_view datagram, Header& out) {
    if (datagram.size() < headerSize) return Bad::tooShort;
    if (!datagram.starts_with(magic)) return Bad::foreign;
    Reader reader(datagram.substr(magic.size(), headerSize - magic.size()));
    if (reader.integer<std::uint8_t>() != linkVersion) return Bad::version;
    const auto type = reader.integer<std::uint8_t>();
    const auto key = reader.integer<std::uint16_t>();
    const auto flagsAndSpare = reader.integer<std::uint16_t>();
    const std::string_view session = reader.take(out.session.size());
    std::memcpy(out.session.data(), session.data(), session.size());
    out.packet = reader.integer<std::uint64_t>();
    if (flagsAndSpare != 0) return Bad::flags;
    if (key != 0) return Bad::encrypted;
    if (out.packet == 0 || out.packet >= numberLimit) return Bad::number;
    out.type = static_cast<Type>(type);
    switch (out.type) {
        case Type::data:
        case Type::heartbeat:
        case Type::end:
            return Bad::none;
    }
    return Bad::type;
}

Bad readData(std::string_view body, Data& out) {
    Reader reader(body);
    out.sequence = reader.integer<std::uint64_t>();
    out.host = reader.shortText();
    out.form = static_cast<Form>(reader.integer<std::uint8_t>());
    out.content = reader.rest();
    if (!reader.good()) return Bad::body;
    if (out.sequence == 0 || out.sequence >= numberLimit) return Bad::number;
    if (!validHostName(out.host)) return Bad::hostName;
    switch (out.form) {
        case Form::events:
        case Form::fragment:
        case Form::dropped:
            return Bad::none;
    }
    return Bad::body;
}

Bad readFragment(std::string_view content, Fragment& out) {
    Reader reader(content);
    out.size = reader.integer<std::uint32_t>();
    out.index = reader.integer<std::uint32_t>();
    out.count = reader.integer<std::uint32_t>();
    out.bytes = reader.rest();
    if (!reader.good()) return Bad::body;
    // Every fragment holds at least one byte, so there are never more of them than bytes.
    if (out.bytes.empty() || out.index >= out.count || out.count > out.size) return Bad::fragment;
    return Bad::none;
}

Bad readDropped(std::string_view content, std::uint32_t& events) {
    Reader reader(content);
    events = reader.integer<std::uint32_t>();
    return reader.good() && events != 0 ? Bad::none : Bad::body;
}

Bad readHeartbeat(std::string_view body, Heartbeat& out) {
    Reader reader(body);
    out.highest = reader.integer<std::uint64_t>();
    out.uptime = reader.integer<std::uint64_t>();
    const std::string_view host = reader.take(out.host.size());
    out.name = reader.shortText();
    out.version = reader.shortText();
    // What follows is of a later version, which may say more about itself.
    if (!reader.good()) return Bad::body;
    std::memcpy(out.host.data(), host.data(), host.size());
    if (out.highest >= numberLimit) return Bad::number;
    if (!validHostName(out.name)) return Bad::hostName;
    return out.version.size() <= maxVersionText && printable(out.version) ? Bad::none : Bad::body;
}

Bad readEnd(std::string_view body, std::uint64_t& highest) {
    Reader reader(body);
    highest = reader.integer<std::uint64_t>();
    if (!reader.good()) return Bad::body;
    return highest < numberLimit ? Bad::none : Bad::number;
}

void appendHeader(std::string& out, const Header& header) {
    out.append(magic);
    append(out, linkVersion);
    append(out, static_cast<std::uint8_t>(header.type));
    append(out, std::uint16_t{0});  // key id: none
    append(out, std::uint16_t{0});  // flags and a spare byte
    appendUuid(out, header.session);
    append(out, header.packet);
}

void appendDataHead(std::string& out, std::uint64_t sequence, std::string_view host, Form form) {
    append(out, sequence);
    appendShortText(out, host);
    append(out, static_cast<std::uint8_t>(form));
}

void appendFragmentHead(std::string& out, const Fragment& fragment) {
    append(out, fragment.size);
    append(out, fragment.index);
    append(out, fragment.count);
}

void appendDropped(std::string& out, std::uint32_t events) {
    append(out, events);
}

void appendHeartbeat(std::string& out, const Heartbeat& heartbeat) {
    append(out, heartbeat.highest);
    append(out, heartbeat.uptime);
    appendUuid(out, heartbeat.host);
    appendShortText(out, heartbeat.name);
    appendShortText(out, heartbeat.version);
}

void appendEnd(std::string& out, std::uint64_t highest) {
    append(out, highest);
}

void stampPacket(std::string& datagram, std::uint64_t packet) {
    assert(datagram.size() >= headerSize);
    wire::storeLittle(datagram.data() + packetOffset, packet);
}

}  // namespace netcluster::daemon::link
