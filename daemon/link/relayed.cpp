#include "relayed.hpp"

#include <cstring>

namespace netcluster::daemon::link {
namespace {

// What stands between the origin's name and the content.
constexpr std::size_t placeSize = 32;

void appendUuid(std::string& out, const wire::Uuid& uuid) {
    out.append(reinterpret_cast<const char*>(uuid.data()), uuid.size());
}

template <typename Integer>
void appendLittle(std::string& out, Integer value) {
    char bytes[sizeof(Integer)];
    wire::storeLittle(bytes, value);
    out.append(bytes, sizeof bytes);
}

}  // namespace

Bad readRelayed(const wire::FrameView& message, Relayed& out) {
    const auto frame = wire::readEvent(message);
    if (!frame || frame->flags != relayedFlag || !frame->channel.empty()) return Bad::relayed;
    if (!validHostName(frame->name)) return Bad::hostName;
    if (frame->payload.size() < placeSize) return Bad::relayed;
    const char* place = frame->payload.data();
    const auto kind = static_cast<std::uint8_t>(place[0]);
    if (kind > static_cast<std::uint8_t>(Relayed::Kind::end)) return Bad::relayed;
    out.kind = static_cast<Relayed::Kind>(kind);
    out.hops = static_cast<std::uint8_t>(place[1]);
    out.back = wire::loadLittle<std::uint32_t>(place + 4);
    out.number = wire::loadLittle<std::uint64_t>(place + 8);
    std::memcpy(out.host.data(), place + 16, out.host.size());
    out.session = frame->sender;
    out.name = frame->name;
    out.content = frame->payload.substr(placeSize);
    const bool counted = out.number != 0 && out.number < numberLimit && out.back < out.number;
    return counted && out.hops >= 1 && out.hops <= maxHops ? Bad::none : Bad::relayed;
}

void appendRelayed(std::string& out, const Relayed& relayed) {
    const std::size_t size =
        wire::eventHeader + relayed.name.size() + placeSize + relayed.content.size();
    appendLittle(out, static_cast<std::uint32_t>(size - sizeof(std::uint32_t)));
    out += static_cast<char>(wire::FrameType::event);
    out += static_cast<char>(relayedFlag);
    out += static_cast<char>(relayed.name.size());
    out += '\0';  // no channel
    appendUuid(out, relayed.session);
    appendLittle(out, std::uint32_t{0});  // no extensions, and the spare bytes
    out += relayed.name;
    out += static_cast<char>(relayed.kind);
    out += static_cast<char>(relayed.hops);
    appendLittle(out, std::uint16_t{0});
    appendLittle(out, relayed.back);
    appendLittle(out, relayed.number);
    appendUuid(out, relayed.host);
    out += relayed.content;
}

}  // namespace netcluster::daemon::link
