// A handle of the system that is closed when it is let go.
#pragma once

#include <windows.h>

namespace netcluster::config {

class Handle {
  public:
    explicit Handle(HANDLE value) : value_(value) {}
    ~Handle() { close(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    /// Some functions of the system say nullptr where others say INVALID_HANDLE_VALUE.
    explicit operator bool() const { return value_ && value_ != INVALID_HANDLE_VALUE; }
    HANDLE get() const { return value_; }
    void close() {
        if (*this) ::CloseHandle(value_);
        value_ = nullptr;
    }

  private:
    HANDLE value_;
};

}  // namespace netcluster::config
