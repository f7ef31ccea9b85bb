#include "memberships_linux.hpp"

#include <netinet/in.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <string>

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

template <typename Integer>
std::optional<Integer> parse(std::string_view text, int base) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

// The group as igmp writes it: the four bytes in network order, read as one number of this machine.
bool isGroupV4(std::string_view word, const ip::address_v4& group) {
    const auto number = parse<std::uint32_t>(word, 16);
    return number && ntohl(*number) == group.to_uint();
}

// `1<tab>lo  : 1  V3` begins an interface; its groups follow on lines that begin with a tab.
bool isMemberV4(std::string_view table, unsigned index, const ip::address_v4& group) {
    std::istringstream lines{std::string(table)};
    std::optional<unsigned> at;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string first;
        words >> first;
        if (!line.starts_with('\t')) {
            at = parse<unsigned>(first, 10);
        } else if (at == index && isGroupV4(first, group)) {
            return true;
        }
    }
    return false;
}

// `1  lo  ff020000000000000000000000000001  …` each.
bool isMemberV6(std::string_view table, unsigned index, const ip::address_v6& group) {
    std::string wanted;
    for (const unsigned char byte : group.to_bytes()) {
        constexpr std::string_view digits = "0123456789abcdef";
        wanted += digits[byte >> 4];
        wanted += digits[byte & 15];
    }
    std::istringstream lines{std::string(table)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string number;
        std::string name;
        std::string address;
        words >> number >> name >> address;
        if (parse<unsigned>(number, 10) == index && address == wanted) return true;
    }
    return false;
}

}  // namespace

bool isMember(std::string_view table, unsigned interfaceIndex, const ip::address& group) {
    return group.is_v6() ? isMemberV6(table, interfaceIndex, group.to_v6())
                         : isMemberV4(table, interfaceIndex, group.to_v4());
}

}  // namespace netcluster::daemon::link
