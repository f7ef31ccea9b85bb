#include "texts.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace netcluster::lua {

bool isUtf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto first = static_cast<unsigned char>(text[at++]);
        if (first < 0x80) continue;
        int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        if (first < 0xC2 || first > 0xF4) return false;
        std::uint32_t code = first & (0x3Fu >> more);
        const std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        const std::uint32_t bound = least[more];
        for (; more > 0; --more, ++at) {
            if (at == text.size()) return false;
            const auto next = static_cast<unsigned char>(text[at]);
            if ((next & 0xC0u) != 0x80u) return false;
            code = code << 6 | (next & 0x3Fu);
        }
        if (code < bound || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    }
    return true;
}

std::string asUtf8(std::string_view text) {
    using Json = nlohmann::json;
    if (isUtf8(text)) return std::string(text);
    return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return asUtf8(text);
    std::size_t size = most;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
    return asUtf8(text.substr(0, size)) + " …";
}

std::string oneLine(std::string_view text) {
    std::string line = asUtf8(text);
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127; }, '?');
    return line;
}

}  // namespace netcluster::lua
