// The strings that netcluster keeps in HKEY_LOCAL_MACHINE; always the 64-bit view. Any thread.
// Throws SystemError, but reading what is not there is no error.
#pragma once

#include <optional>
#include <string>

namespace netcluster::service {

/// A string value; %VARIABLES% of REG_EXPAND_SZ are replaced.
std::optional<std::wstring> readString(const wchar_t* key, const wchar_t* name);
/// Makes the key when there is none. `expand`: as REG_EXPAND_SZ.
void writeString(const wchar_t* key, const wchar_t* name, const std::wstring& text,
                 bool expand = false);
void writeNumber(const wchar_t* key, const wchar_t* name, unsigned long number);
void removeValue(const wchar_t* key, const wchar_t* name);
/// Removes the key with its values, but not one that has keys below it.
void removeKey(const wchar_t* key);
/// Removes the key when nothing is left in it.
void removeEmptyKey(const wchar_t* key);

}  // namespace netcluster::service
