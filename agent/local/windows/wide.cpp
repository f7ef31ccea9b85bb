#include "wide.hpp"

#include <windows.h>

#include <boost/system/system_error.hpp>

namespace netcluster::local {

std::wstring wide(std::string_view text) {
    const int size = static_cast<int>(text.size());
    std::wstring result(
        static_cast<std::size_t>(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)),
        L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), size, result.data(),
                        static_cast<int>(result.size()));
    return result;
}

std::string narrow(std::wstring_view text) {
    const int size = static_cast<int>(text.size());
    std::string result(static_cast<std::size_t>(WideCharToMultiByte(CP_UTF8, 0, text.data(), size,
                                                                    nullptr, 0, nullptr, nullptr)),
                       '\0');
    WideCharToMultiByte(CP_UTF8, 0, text.data(), size, result.data(),
                        static_cast<int>(result.size()), nullptr, nullptr);
    return result;
}

std::string systemMessage(unsigned long code) {
    return boost::system::error_code(static_cast<int>(code), boost::system::system_category())
        .message();
}

std::string environment(const wchar_t* name) {
    std::wstring value;
    // Somebody may make it longer in between.
    for (DWORD size = 256;;) {
        value.resize(size);
        const DWORD needed = GetEnvironmentVariableW(name, value.data(), size);
        if (needed < size) {
            value.resize(needed);
            return narrow(value);
        }
        size = needed;
    }
}

}  // namespace netcluster::local
