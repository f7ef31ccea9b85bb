#include "datagram.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "little_endian.hpp"

namespace netcluster::daemon::link {
namespace {

constexpr std::uint16_t repeatedFlag = 1;

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

    template <std::size_t size>
    void bytes(std::array<std::uint8_t, size>& out) {
        const std::string_view taken = take(size);
        if (good_) std::memcpy(out.data(), taken.data(), size);
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

template <std::size_t size>
void append(std::string& out, const std::array<std::uint8_t, size>& bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), size);
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

bool validHostName(std::string_view name) {
    return !name.empty() && name.size() <= maxHostName && printable(name);
}

Bad readHeader(std::string_view datagram, Header& out) {
    if (datagram.size() < headerSize) return Bad::tooShort;
    if (!datagram.starts_with(magic)) return Bad::foreign;
    Reader reader(datagram.substr(magic.size(), headerSize - magic.size()));
    if (reader.integer<std::uint8_t>() != linkVersion) return Bad::version;
    out.type = static_cast<Type>(reader.integer<std::uint8_t>());
    out.keyId = reader.integer<std::uint16_t>();
    const auto flagsAndSpare = reader.integer<std::uint16_t>();
    out.repeated = flagsAndSpare == repeatedFlag;
    reader.bytes(out.session);
    out.packet = reader.integer<std::uint64_t>();
    if (out.type < Type::data || out.type > Type::echo) return Bad::type;
    if (flagsAndSpare != 0 && !(out.repeated && out.type == Type::data)) return Bad::flags;
    if (out.packet == 0 || out.packet >= numberLimit) return Bad::number;
    return Bad::none;
}

Bad readData(std::string_view body, Data& out) {
    Reader reader(body);
    out.sequence = reader.integer<std::uint64_t>();
    out.host = reader.shortText();
    out.start = reader.integer<std::uint16_t>();
    out.content = reader.rest();
    if (!reader.good() || out.content.empty()) return Bad::body;
    if (out.sequence == 0 || out.sequence >= numberLimit) return Bad::number;
    if (!validHostName(out.host)) return Bad::hostName;
    return out.start == noStart || out.start < out.content.size() ? Bad::none : Bad::body;
}

Bad readHeartbeat(std::string_view body, Heartbeat& out) {
    Reader reader(body);
    out.highest = reader.integer<std::uint64_t>();
    out.oldest = reader.integer<std::uint64_t>();
    out.uptime = reader.integer<std::uint64_t>();
    reader.bytes(out.host);
    out.wantsStatus = reader.integer<std::uint8_t>() & 1;
    out.name = reader.shortText();
    out.version = reader.shortText();
    out.clock = reader.integer<std::uint64_t>();
    out.load = reader.integer<std::uint32_t>();
    out.cpus = reader.integer<std::uint32_t>();
    out.memoryTotal = reader.integer<std::uint64_t>();
    out.memoryAvailable = reader.integer<std::uint64_t>();
    out.rss = reader.integer<std::uint64_t>();
    out.clients = reader.integer<std::uint32_t>();
    out.heard.clear();
    for (int left = reader.integer<std::uint8_t>(); left > 0 && reader.good(); --left) {
        out.heard.push_back(reader.integer<std::uint64_t>());
    }
    out.channels.clear();
    for (int left = reader.integer<std::uint8_t>(); left > 0 && reader.good(); --left) {
        const std::string_view channel = reader.shortText();
        if (!printable(channel)) return Bad::body;
        out.channels.push_back(channel);
    }
    // What follows is of a later version, which may say more about itself.
    if (!reader.good()) return Bad::body;
    if (out.highest >= numberLimit || out.oldest == 0 || out.oldest > out.highest + 1) {
        return Bad::number;
    }
    if (!validHostName(out.name)) return Bad::hostName;
    return out.version.size() <= maxVersionText && printable(out.version) ? Bad::none : Bad::body;
}

Bad readNak(std::string_view body, Nak& out) {
    Reader reader(body);
    reader.bytes(out.target);
    const auto count = reader.integer<std::uint8_t>();
    if (count == 0 || count > maxNakRanges) return Bad::body;
    out.ranges.clear();
    for (int left = count; left > 0; --left) {
        const auto first = reader.integer<std::uint64_t>();
        const auto more = reader.integer<std::uint32_t>();
        if (!reader.good()) return Bad::body;
        if (first == 0 || first >= numberLimit) return Bad::number;
        out.ranges.push_back({first, first + more});
    }
    return Bad::none;
}

Bad readStatus(std::string_view body, std::vector<Status>& out) {
    Reader reader(body);
    const auto count = reader.integer<std::uint8_t>();
    if (count == 0 || count > maxStatuses) return Bad::body;
    out.clear();
    for (int left = count; left > 0 && reader.good(); --left) {
        Status& status = out.emplace_back();
        reader.bytes(status.target);
        status.next = reader.integer<std::uint64_t>();
        status.window = reader.integer<std::uint32_t>();
        if (status.next >= numberLimit) return Bad::number;
    }
    return reader.good() ? Bad::none : Bad::body;
}

Bad readChallenge(std::string_view body, Challenge& out) {
    Reader reader(body);
    reader.bytes(out.target);
    reader.bytes(out.nonce);
    return reader.good() ? Bad::none : Bad::body;
}

Bad readProof(std::string_view body, std::vector<Nonce>& out) {
    Reader reader(body);
    const auto count = reader.integer<std::uint8_t>();
    if (count == 0 || count > maxProofs) return Bad::body;
    out.resize(count);
    for (Nonce& nonce : out) reader.bytes(nonce);
    return reader.good() ? Bad::none : Bad::body;
}

Bad readEnd(std::string_view body, std::uint64_t& highest) {
    Reader reader(body);
    highest = reader.integer<std::uint64_t>();
    if (!reader.good()) return Bad::body;
    return highest < numberLimit ? Bad::none : Bad::number;
}

Bad readProbe(std::string_view body, Probe& out) {
    Reader reader(body);
    out.id = reader.integer<std::uint64_t>();
    return reader.good() ? Bad::none : Bad::body;
}

Bad readEcho(std::string_view body, Probe& out) {
    Reader reader(body);
    out.id = reader.integer<std::uint64_t>();
    reader.bytes(out.target);
    out.clock = reader.integer<std::uint64_t>();
    return reader.good() ? Bad::none : Bad::body;
}

void appendHeader(std::string& out, const Header& header) {
    out.append(magic);
    append(out, linkVersion);
    append(out, static_cast<std::uint8_t>(header.type));
    append(out, header.keyId);
    append(out, header.repeated ? repeatedFlag : std::uint16_t{0});  // flags and a spare byte
    append(out, header.session);
    append(out, header.packet);
}

void appendDataHead(std::string& out, std::uint64_t sequence, std::string_view host) {
    append(out, sequence);
    appendShortText(out, host);
    append(out, noStart);
}

void appendHeartbeat(std::string& out, const Heartbeat& heartbeat) {
    const std::size_t end = out.size() + bodyRoom;
    append(out, heartbeat.highest);
    append(out, heartbeat.oldest);
    append(out, heartbeat.uptime);
    append(out, heartbeat.host);
    append(out, static_cast<std::uint8_t>(heartbeat.wantsStatus ? 1 : 0));
    appendShortText(out, heartbeat.name);
    appendShortText(out, heartbeat.version);
    append(out, heartbeat.clock);
    append(out, heartbeat.load);
    append(out, heartbeat.cpus);
    append(out, heartbeat.memoryTotal);
    append(out, heartbeat.memoryAvailable);
    append(out, heartbeat.rss);
    append(out, heartbeat.clients);
    constexpr std::size_t mostHeard = 64;
    const std::size_t heard = std::min(heartbeat.heard.size(), mostHeard);
    append(out, static_cast<std::uint8_t>(heard));
    for (std::size_t i = 0; i < heard; ++i) append(out, heartbeat.heard[i]);
    const std::size_t countAt = out.size();
    append(out, std::uint8_t{0});
    for (const std::string_view channel : heartbeat.channels) {
        if (out.size() + 1 + channel.size() > end || out[countAt] == '\xFF') break;
        appendShortText(out, channel);
        ++out[countAt];
    }
}

void appendNak(std::string& out, const wire::Uuid& target, const std::vector<Range>& ranges) {
    append(out, target);
    const std::size_t count = std::min(ranges.size(), maxNakRanges);
    append(out, static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        append(out, ranges[i].first);
        append(out, static_cast<std::uint32_t>(ranges[i].last - ranges[i].first));
    }
}

void appendStatus(std::string& out, const std::vector<Status>& statuses) {
    const std::size_t count = std::min(statuses.size(), maxStatuses);
    append(out, static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        append(out, statuses[i].target);
        append(out, statuses[i].next);
        append(out, statuses[i].window);
    }
}

void appendChallenge(std::string& out, const Challenge& challenge) {
    append(out, challenge.target);
    append(out, challenge.nonce);
}

void appendProof(std::string& out, const std::vector<Nonce>& nonces) {
    const std::size_t count = std::min(nonces.size(), maxProofs);
    append(out, static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) append(out, nonces[i]);
}

void appendEnd(std::string& out, std::uint64_t highest) {
    append(out, highest);
}

void appendProbe(std::string& out, std::uint64_t id, std::size_t bodySize) {
    const std::size_t end = out.size() + std::min(bodySize, bodyRoom);
    append(out, id);
    if (out.size() < end) out.resize(end);
}

void appendEcho(std::string& out, const Probe& echo, std::size_t bodySize) {
    const std::size_t end = out.size() + std::min(bodySize, bodyRoom);
    append(out, echo.id);
    append(out, echo.target);
    append(out, echo.clock);
    if (out.size() < end) out.resize(end);
}

std::uint64_t sessionPrefix(const wire::Uuid& session) {
    std::uint64_t prefix = 0;
    std::memcpy(&prefix, session.data(), sizeof prefix);
    return prefix;
}

}  // namespace netcluster::daemon::link
