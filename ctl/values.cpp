#include "values.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "escape.hpp"

namespace netcluster::ctl {

const Json& member(const Json& object, const std::string& key) {
    static const Json none;
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found == object.end() ? none : *found;
}

std::string textIn(const Json& object, const std::string& key) {
    const Json& value = member(object, key);
    return value.is_string() ? printable(value.get_ref<const std::string&>()) : std::string();
}

double numberIn(const Json& object, const std::string& key, double otherwise) {
    const Json& value = member(object, key);
    return value.is_number() ? value.get<double>() : otherwise;
}

bool flagIn(const Json& object, const std::string& key, bool otherwise) {
    const Json& value = member(object, key);
    return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::string cell(const Json& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return printable(value.get_ref<const std::string&>());
    const auto isScalar = [](const Json& item) { return !item.is_structured(); };
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), isScalar)) {
        return jsonLine(value);
    }
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : ", ") + cell(item);
    return text.empty() ? "-" : text;
}

std::string duration(std::uint64_t seconds) {
    struct Unit {
        std::uint64_t seconds;
        const char* name;
    };
    constexpr std::array<Unit, 4> units{{{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}}};
    std::string text;
    for (const auto& unit : units) {
        const auto count = seconds / unit.seconds;
        seconds %= unit.seconds;
        if (count == 0 && (!text.empty() || unit.seconds > 1)) continue;
        text += (text.empty() ? "" : " ") + std::to_string(count) + unit.name;
    }
    return text;
}

std::string byteSize(double bytes) {
    constexpr std::array<const char*, 5> units{" bytes", " KiB", " MiB", " GiB", " TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    const bool whole = unit == 0 || bytes >= 100;
    return fixed(bytes, whole ? 0 : 1) + units[unit];
}

std::string fixed(double number, int digits) {
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, number);
    return std::string(text.data(),
                       std::min<std::size_t>(static_cast<std::size_t>(length), text.size() - 1));
}

}  // namespace netcluster::ctl
