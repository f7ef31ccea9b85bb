#include "value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "address_text.hpp"
#include "rule_pattern.hpp"
#include "spelling.hpp"

namespace netcluster::config {
namespace {

constexpr std::size_t mostPeers = 256;  // each datagram is sent once to each of them
constexpr std::size_t longestGroup = 255;
constexpr double mostExact =
    9007199254740992.0;  // 2^53: up to here a double is the integer written

struct KindName {
    std::string operator()(Node::Broken) const { return {}; }
    std::string operator()(std::nullptr_t) const { return "null"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(double) const { return "a number"; }
    std::string operator()(const std::string&) const { return "text"; }
    std::string operator()(const Node::List&) const { return "a list"; }
    std::string operator()(const Node::Object&) const { return "an object"; }
};

std::optional<long long> wholeNumber(const Node& node) {
    const auto* number = node.as<double>();
    if (number == nullptr || std::trunc(*number) != *number || std::abs(*number) > mostExact) {
        return std::nullopt;
    }
    return static_cast<long long>(*number);
}

std::string range(const char* what, long long least, long long most) {
    return std::string("must be a ") + what + " from " + std::to_string(least) + " to " +
           std::to_string(most);
}

// "4MiB" in bytes.
std::optional<long long> sizeWithUnit(std::string_view text) {
    long long amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc{} || amount < 1 || amount >= 1LL << 32 || text.front() == '0') {
        return std::nullopt;
    }
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (unit == "KiB") return amount << 10;
    if (unit == "MiB") return amount << 20;
    if (unit == "GiB") return amount << 30;
    return std::nullopt;
}

bool hasControlCharacter(const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

// An expression that compiles; "" counts as `false`, which it was in the Node package.
std::optional<std::string> readPattern(const Value& value, const std::string& text) {
    if (text.empty()) value.unwise("an empty expression is read as false");
    auto problem = patternProblem(text);
    if (!problem) return text;
    value.wrong(std::move(*problem));
    return std::nullopt;
}

bool octalDigits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
}

std::optional<std::string> readPeer(const Value& value) {
    const std::string wanted = "\"host:port\" or \"[IPv6 address]:port\", port 1 to 65535";
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe(wanted);
    } else if (!splitHostPort(*text)) {
        value.wrong("must be " + wanted + ", not " + inQuotes(*text));
    } else {
        return *text;
    }
    return std::nullopt;
}

}  // namespace

void Value::mustBe(const std::string& wanted) const {
    if (node.as<Node::Broken>() != nullptr) return;
    wrong("must be " + wanted + ", not " + std::visit(KindName{}, node.value));
}

std::optional<bool> readBool(const Value& value) {
    if (const auto* found = value.node.as<bool>()) return *found;
    value.mustBe("true or false");
    return std::nullopt;
}

std::optional<long long> readInteger(const Value& value, long long least, long long most) {
    if (value.node.as<double>() == nullptr) {
        value.mustBe("a whole number");
        return std::nullopt;
    }
    const auto number = wholeNumber(value.node);
    if (number && *number >= least && *number <= most) return number;
    value.wrong(range("whole number", least, most));
    return std::nullopt;
}

std::optional<long long> readBytes(const Value& value, long long least, long long most) {
    const std::string wanted = "a number of bytes, or text such as \"4MiB\" (KiB, MiB or GiB)";
    const auto* text = value.node.as<std::string>();
    if (text == nullptr && value.node.as<double>() == nullptr) {
        value.mustBe(wanted);
        return std::nullopt;
    }
    const auto bytes = text == nullptr ? wholeNumber(value.node) : sizeWithUnit(*text);
    if (bytes && *bytes >= least && *bytes <= most) return bytes;
    value.wrong(text != nullptr && !bytes ? "must be " + wanted + ", not " + inQuotes(*text)
                                          : range("number of bytes", least, most));
    return std::nullopt;
}

std::optional<long long> readBytesOrZero(const Value& value, long long least, long long most) {
    const auto* number = value.node.as<double>();
    if (number == nullptr || *number >= static_cast<double>(least)) {
        return readBytes(value, least, most);
    }
    if (*number == 0) return 0;
    value.wrong(range("number of bytes", least, most) + ", or 0");
    return std::nullopt;
}

std::optional<std::string> readText(const Value& value, std::size_t mostBytes) {
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe("text");
    } else if (text->size() > mostBytes) {
        value.wrong("may have at most " + std::to_string(mostBytes) + " bytes");
    } else if (hasControlCharacter(*text)) {
        value.wrong("may not have control characters");
    } else {
        return *text;
    }
    return std::nullopt;
}

std::optional<std::string> readGroup(const Value& value) {
    auto name = readText(value, longestGroup);
    if (!name || !name->empty()) return name;
    value.wrong("must be the name of a group; leave the key out to keep the daemon's own");
    return std::nullopt;
}

std::optional<std::uint32_t> readMode(const Value& value) {
    const std::string wanted = "permission bits as octal text, \"0000\" to \"0777\"";
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe(wanted);
        return std::nullopt;
    }
    std::uint32_t mode = 0;
    const bool fits = !text->empty() && text->size() <= 4 && octalDigits(*text);
    if (fits) std::from_chars(text->data(), text->data() + text->size(), mode, 8);
    if (fits && mode <= 0777) return mode;
    value.wrong("must be " + wanted + ", not " + inQuotes(*text));
    return std::nullopt;
}

std::optional<SlowConsumer> readSlowConsumer(const Value& value) {
    const std::string wanted = R"("block", "dropoldest", "dropnewest" or "disconnect")";
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe(wanted);
        return std::nullopt;
    }
    const auto found = slowConsumerNamed(*text);
    if (!found) value.wrong("must be " + wanted + ", not " + inQuotes(*text));
    return found;
}

std::optional<EventFilter> readEventFilter(const Value& value) {
    using Kind = EventFilter::Kind;
    if (const auto* all = value.node.as<bool>()) {
        return EventFilter{*all ? Kind::all : Kind::none, {}};
    }
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe("true, false or a regular expression");
        return std::nullopt;
    }
    auto pattern = readPattern(value, *text);
    if (!pattern) return std::nullopt;
    return pattern->empty() ? EventFilter{} : EventFilter{Kind::matching, std::move(*pattern)};
}

std::optional<std::optional<std::string>> readChannelRule(const Value& value) {
    using Rule = std::optional<std::string>;
    const auto* flag = value.node.as<bool>();
    if (flag != nullptr && !*flag) return Rule{};
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe("false or a regular expression on channel names (\".*\" is every channel)");
        return std::nullopt;
    }
    auto pattern = readPattern(value, *text);
    if (!pattern) return std::nullopt;
    return pattern->empty() ? Rule{} : Rule{std::move(*pattern)};
}

// "" is a matter of `peers` too, so checks.cpp decides about it.
std::optional<std::string> readGroupAddress(const Value& value) {
    const auto* text = value.node.as<std::string>();
    if (text == nullptr) {
        value.mustBe("a multicast address as text");
        return std::nullopt;
    }
    if (!text->empty() && !isMulticast(*text)) {
        value.wrong(inQuotes(*text) +
                    " is not a multicast address (224.0.0.0 to 239.255.255.255, or ff00::/8)");
        return std::nullopt;
    }
    if (auto why = whyUnwiseGroup(*text)) value.unwise(*text + " is " + *why);
    return *text;
}

std::optional<std::vector<std::string>> readPeers(const Value& value) {
    const auto* items = value.node.as<Node::List>();
    if (items == nullptr) {
        value.mustBe("a list of \"host:port\"");
        return std::nullopt;
    }
    if (items->size() > mostPeers) {
        value.wrong("may have at most " + std::to_string(mostPeers) + " peers");
        return std::nullopt;
    }
    std::vector<std::string> peers;
    std::set<std::string> seen;
    for (const auto& item : *items) {
        const Value entry{item, value.pointer + '/' + std::to_string(&item - items->data()),
                          value.report};
        auto peer = readPeer(entry);
        if (!peer) continue;
        if (!seen.insert(*peer).second) entry.wrong(inQuotes(*peer) + " stands twice in the list");
        peers.push_back(std::move(*peer));
    }
    return peers;
}

}  // namespace netcluster::config
