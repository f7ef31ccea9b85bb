#include "console_text_windows.hpp"

#include <windows.h>

#include <utility>

namespace netcluster::ctl {
namespace {

std::string narrow(const std::wstring& text) {
    if (text.empty()) return {};
    const auto length = static_cast<int>(text.size());
    const int size =
        WideCharToMultiByte(CP_UTF8, 0, text.data(), length, nullptr, 0, nullptr, nullptr);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    WideCharToMultiByte(CP_UTF8, 0, text.data(), length, bytes.data(), size, nullptr, nullptr);
    return bytes;
}

}  // namespace

std::optional<std::string> ConsoleText::take(std::wstring_view read) {
    constexpr wchar_t controlZ = 0x1a;
    if (lineBegins_ && read.starts_with(controlZ)) return {};
    if (read.empty()) return std::string();
    lineBegins_ = read.ends_with(L'\n');
    std::wstring text = std::exchange(half_, {});
    text += read;
    if (IS_HIGH_SURROGATE(text.back())) {
        half_ = text.back();
        text.pop_back();
    }
    std::erase(text, L'\r');
    return narrow(text);
}

}  // namespace netcluster::ctl
