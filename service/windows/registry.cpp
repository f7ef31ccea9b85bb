#include "registry.hpp"

#include "win32.hpp"

namespace netcluster::service {
namespace {

struct CloseKey {
    void operator()(HKEY key) const { RegCloseKey(key); }
};
using Key = std::unique_ptr<std::remove_pointer_t<HKEY>, CloseKey>;

void check(LSTATUS status, const wchar_t* key, const char* what) {
    if (status == ERROR_SUCCESS || status == ERROR_FILE_NOT_FOUND) return;
    throw SystemError("HKEY_LOCAL_MACHINE\\" + narrow(key) + " " + what,
                      static_cast<unsigned long>(status));
}

Key open(const wchar_t* path, REGSAM access) {
    HKEY key = nullptr;
    const LSTATUS status =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, access | KEY_WOW64_64KEY, &key);
    check(status, path, "cannot be opened");
    return Key(status == ERROR_SUCCESS ? key : nullptr);
}

Key create(const wchar_t* path) {
    HKEY key = nullptr;
    check(RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, nullptr, 0, KEY_WRITE | KEY_WOW64_64KEY,
                          nullptr, &key, nullptr),
          path, "cannot be made");
    return Key(key);
}

void write(const wchar_t* path, const wchar_t* name, DWORD type, const void* data,
           std::size_t size) {
    check(RegSetValueExW(create(path).get(), name, 0, type, static_cast<const BYTE*>(data),
                         static_cast<DWORD>(size)),
          path, "cannot be written");
}

}  // namespace

std::optional<std::wstring> readString(const wchar_t* path, const wchar_t* name) {
    const Key key = open(path, KEY_READ);
    if (!key) return {};
    DWORD size = 0;
    LSTATUS status = ERROR_SUCCESS;
    std::wstring text;
    // It may grow between the two calls.
    do {
        text.resize(size / sizeof(wchar_t));
        status = RegGetValueW(key.get(), nullptr, name, RRF_RT_REG_SZ, nullptr,
                              size > 0 ? text.data() : nullptr, &size);
    } while (status == ERROR_MORE_DATA || (status == ERROR_SUCCESS && size > 0 && text.empty()));
    if (status == ERROR_FILE_NOT_FOUND) return {};
    check(status, path, "cannot be read");
    text.resize(size / sizeof(wchar_t));
    while (text.ends_with(L'\0')) text.pop_back();
    return text;
}

void writeString(const wchar_t* path, const wchar_t* name, const std::wstring& text, bool expand) {
    write(path, name, expand ? REG_EXPAND_SZ : REG_SZ, text.c_str(),
          (text.size() + 1) * sizeof(wchar_t));
}

void writeNumber(const wchar_t* path, const wchar_t* name, unsigned long number) {
    const DWORD value = number;
    write(path, name, REG_DWORD, &value, sizeof value);
}

void removeValue(const wchar_t* path, const wchar_t* name) {
    const Key key = open(path, KEY_WRITE);
    if (key) check(RegDeleteValueW(key.get(), name), path, "cannot be changed");
}

void removeKey(const wchar_t* path) {
    check(RegDeleteKeyExW(HKEY_LOCAL_MACHINE, path, KEY_WOW64_64KEY, 0), path, "cannot be removed");
}

void removeEmptyKey(const wchar_t* path) {
    DWORD keys = 0;
    DWORD values = 0;
    {
        const Key key = open(path, KEY_READ);
        if (!key) return;
        check(RegQueryInfoKeyW(key.get(), nullptr, nullptr, nullptr, &keys, nullptr, nullptr,
                               &values, nullptr, nullptr, nullptr, nullptr),
              path, "cannot be read");
    }
    if (keys == 0 && values == 0) removeKey(path);
}

}  // namespace netcluster::service
