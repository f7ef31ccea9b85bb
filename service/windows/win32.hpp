// What every file of this folder needs of Win32: its text, its errors, its handles. Any thread.
#pragma once

#include <windows.h>

#include <memory>
#include <netcluster/error.hpp>
#include <string>
#include <type_traits>

#include "wide.hpp"

namespace netcluster::service {

using local::narrow;
using local::wide;

/// What Windows says of an error code, on one line: "Access is denied (5)".
std::string errorText(unsigned long code);

/// A call that failed: what was tried, and what Windows says of it.
class SystemError : public Error {
  public:
    SystemError(const std::string& what, unsigned long code)
        : Error(what + ": " + errorText(code)) {}
};

/// The full path of this program.
std::wstring programPath();

struct CloseService {
    void operator()(SC_HANDLE handle) const { CloseServiceHandle(handle); }
};
using ServiceHandle = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, CloseService>;

struct FreeLocal {
    void operator()(void* memory) const { LocalFree(memory); }
};
template <typename T>
using LocalMemory = std::unique_ptr<T, FreeLocal>;

}  // namespace netcluster::service
