// One value of the tree, read as what a key wants it to be. Each reader returns nothing when the
// value is not that, and has then told the report why; keys.cpp says which key wants what.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "jsonc.hpp"
#include "report.hpp"
#include "settings.hpp"

namespace netcluster::config {

/// A value with its JSON pointer, and where what is wrong with it is told.
struct Value {
    const Node& node;
    std::string pointer;
    Report& report;

    void wrong(std::string what) const { report.problem(node.place, pointer, std::move(what)); }
    void unwise(std::string what) const { report.warning(node.place, pointer, std::move(what)); }
    /// "must be <wanted>, not a number"; silent when the text of the value was broken already.
    void mustBe(const std::string& wanted) const;
};

/// Moves what was read to where it belongs; what was not read leaves the default in place.
template <class Read, class Target>
void keep(std::optional<Read> read, Target& target) {
    if (read) target = static_cast<Target>(std::move(*read));
}

std::optional<bool> readBool(const Value& value);
std::optional<long long> readInteger(const Value& value, long long least, long long most);
/// A number of bytes, or text with a unit: "512KiB", "4MiB", "1GiB".
std::optional<long long> readBytes(const Value& value, long long least, long long most);
/// The same, or 0, which means "no limit".
std::optional<long long> readBytesOrZero(const Value& value, long long least, long long most);
/// At most `mostBytes` long, without control characters.
std::optional<std::string> readText(const Value& value, std::size_t mostBytes);
std::optional<std::string> readGroup(const Value& value);
std::optional<std::uint32_t> readMode(const Value& value);
std::optional<SlowConsumer> readSlowConsumer(const Value& value);
std::optional<EventFilter> readEventFilter(const Value& value);
/// The inner optional is the value: no expression means `false`.
std::optional<std::optional<std::string>> readChannelRule(const Value& value);
std::optional<std::string> readGroupAddress(const Value& value);
std::optional<std::vector<std::string>> readPeers(const Value& value);

}  // namespace netcluster::config
