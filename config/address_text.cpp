#include "address_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace netcluster::config {
namespace {

using Ipv4 = std::array<std::uint8_t, 4>;
using Ipv6 = std::array<std::uint16_t, 8>;

constexpr std::size_t longestHost = 253;  // RFC 1035, as text

// Decimal or hexadecimal, the whole of `text`, at most `digits` long.
std::optional<unsigned> number(std::string_view text, int base, std::size_t digits) {
    unsigned value = 0;
    if (text.empty() || text.size() > digits) return std::nullopt;
    const auto outcome = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (outcome.ec != std::errc{} || outcome.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// Without leading zeros, which some systems read as octal.
std::optional<unsigned> decimal(std::string_view text, std::size_t digits, unsigned most) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    const auto value = number(text, 10, digits);
    return value && *value <= most ? value : std::nullopt;
}

// What stands before `mark`, which is taken away with it; all of it when there is no mark.
std::string_view takeUntil(std::string_view& text, std::string_view mark) {
    const auto at = text.find(mark);
    const auto front = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + mark.size());
    return front;
}

std::optional<Ipv4> ipv4(std::string_view text) {
    if (std::count(text.begin(), text.end(), '.') != 3) return std::nullopt;
    Ipv4 address{};
    for (auto& part : address) {
        const auto value = decimal(takeUntil(text, "."), 3, 255);
        if (!value) return std::nullopt;
        part = static_cast<std::uint8_t>(*value);
    }
    return address;
}

struct Groups {
    Ipv6 values{};
    std::size_t count = 0;

    bool add(unsigned value) {
        if (count == values.size()) return false;
        values[count++] = static_cast<std::uint16_t>(value);
        return true;
    }
};

// One side of "::", or all of an address that has none. An IPv4 address may be its last part.
std::optional<Groups> groups(std::string_view text) {
    Groups found;
    if (text.empty()) return found;
    if (text.back() == ':') return std::nullopt;
    while (!text.empty()) {
        const auto part = takeUntil(text, ":");
        const auto embedded = text.empty() ? ipv4(part) : std::nullopt;
        const auto value = number(part, 16, 4);
        const bool added = embedded ? found.add(unsigned{(*embedded)[0]} << 8 | (*embedded)[1]) &&
                                          found.add(unsigned{(*embedded)[2]} << 8 | (*embedded)[3])
                                    : value && found.add(*value);
        if (!added) return std::nullopt;
    }
    return found;
}

std::optional<Ipv6> ipv6(std::string_view text) {
    const bool shortened = text.find("::") != std::string_view::npos;
    const auto before = takeUntil(text, "::");
    if (shortened && before.find('.') != std::string_view::npos) return std::nullopt;
    const auto head = groups(before);
    const auto tail = groups(text);
    if (!head || !tail) return std::nullopt;
    const std::size_t written = head->count + tail->count;
    if (shortened ? written > 7 : written != 8) return std::nullopt;
    Ipv6 address{};
    std::copy_n(head->values.begin(), head->count, address.begin());
    std::copy_n(tail->values.begin(), tail->count, address.end() - static_cast<int>(tail->count));
    return address;
}

bool isMulticast(const Ipv4& address) {
    return address[0] >= 224 && address[0] <= 239;
}
bool isMulticast(const Ipv6& address) {
    return address[0] >> 8 == 0xFF;
}

bool isHostByte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

bool isHostName(std::string_view text) {
    return !text.empty() && text.size() <= longestHost &&
           std::all_of(text.begin(), text.end(), isHostByte);
}

std::optional<std::string> whyUnwise(const Ipv6& address) {
    const unsigned flags = address[0] >> 4 & 0xF;
    const unsigned scope = address[0] & 0xF;
    if (scope == 0 || scope == 1) return "a group of this scope never leaves the host";
    const bool low = std::all_of(address.begin() + 1, address.end() - 1,
                                 [](unsigned group) { return group == 0; });
    if (flags == 0 && low && address[7] <= 0xFF) {
        return "a reserved address (RFC 4291, 2.7.1); an own one begins with ff15 or ff18";
    }
    return std::nullopt;
}

}  // namespace

bool isMulticast(std::string_view text) {
    if (const auto address = ipv4(text)) return isMulticast(*address);
    const auto address = ipv6(text);
    return address && isMulticast(*address);
}

std::optional<std::string> whyUnwiseGroup(std::string_view text) {
    if (const auto address = ipv4(text)) {
        const bool reserved = (*address)[0] == 224 && (*address)[1] == 0 && (*address)[2] == 0;
        if (!reserved) return std::nullopt;
        return "a reserved address (224.0.0.0/24, RFC 5771); an own one begins with 239";
    }
    const auto address = ipv6(text);
    return address ? whyUnwise(*address) : std::nullopt;
}

std::optional<HostPort> splitHostPort(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const auto port = decimal(text.substr(colon + 1), 5, 65535);
    if (!port || *port == 0) return std::nullopt;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        if (!ipv6(host)) return std::nullopt;
    } else if (!isHostName(host)) {
        return std::nullopt;
    }
    return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace netcluster::config
