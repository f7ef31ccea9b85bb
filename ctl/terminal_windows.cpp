#include <io.h>
#include <stdio.h>
#include <windows.h>

#include <winternl.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <streambuf>

#include "console_text_windows.hpp"
#include "terminal.hpp"

namespace netcluster::ctl {
namespace {

using Signal = Interruption::Signal;

std::atomic<Signal> noted{Signal::none};

// On a thread that the system makes for this. Once it returns from anything but Ctrl-C or
// Ctrl-Break, the system ends the process; main shall end it by itself, in the time there is.
BOOL WINAPI note(DWORD event) {
    noted = event == CTRL_C_EVENT ? Signal::interrupt : Signal::terminate;
    constexpr DWORD timeToEnd = 5000;
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(timeToEnd);
    return TRUE;
}

/// std::cin's, while it is a console.
class ConsoleInput final : public std::streambuf {
  public:
    explicit ConsoleInput(HANDLE console) : console_(console) {}

  private:
    int_type underflow() override {
        do {
            wchar_t read[4096];
            DWORD count = 0;
            SetLastError(NO_ERROR);
            const bool done = ReadConsoleW(console_, read, std::size(read), &count, nullptr) != 0;
            if (!done || count == 0) {
                if (GetLastError() == ERROR_OPERATION_ABORTED) awaitNote();
                return traits_type::eof();
            }
            std::optional<std::string> bytes = text_.take({read, count});
            if (!bytes) return traits_type::eof();
            bytes_ = std::move(*bytes);
        } while (bytes_.empty());
        setg(bytes_.data(), bytes_.data(), bytes_.data() + bytes_.size());
        return traits_type::to_int_type(bytes_.front());
    }

    // Ctrl-C ends a read at once; that it was Ctrl-C is noted on another thread, which may be
    // later. Nobody tells when, or whether at all.
    static void awaitNote() {
        for (int i = 0; i < 20 && noted == Signal::none; ++i) Sleep(5);
    }

    HANDLE console_;
    ConsoleText text_;
    std::string bytes_;
};

// FILE_PIPE_LOCAL_INFORMATION of the driver kit, which the headers for programs leave out.
struct PipeLocalInformation {
    ULONG type, configuration, maximumInstances, currentInstances;
    ULONG inboundQuota, readDataAvailable, outboundQuota, writeQuotaAvailable;
    ULONG state, end;
};
constexpr auto filePipeLocalInformation = static_cast<FILE_INFORMATION_CLASS>(24);
constexpr ULONG connectedState = 3;

using QueryInformation = NTSTATUS(NTAPI*)(HANDLE, IO_STATUS_BLOCK*, void*, ULONG,
                                          FILE_INFORMATION_CLASS);

}  // namespace

bool inputIsTerminal() {
    return _isatty(_fileno(stdin)) != 0;
}

// A pipe's end knows whether there is another one; only the system below Windows can be asked.
bool outputAbandoned() {
    static const auto query = reinterpret_cast<QueryInformation>(reinterpret_cast<void*>(
        GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryInformationFile")));
    const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    if (!query || GetFileType(output) != FILE_TYPE_PIPE) return false;
    PipeLocalInformation information{};
    IO_STATUS_BLOCK status{};
    return query(output, &status, &information, sizeof information, filePipeLocalInformation) ==
               0 &&
           information.state != connectedState;
}

// There is no SIGPIPE here, and no number is given out again by chance. But a console writes what
// it takes for the letters of some code page, and goes on doing so after we have ended. What it
// reads is had without one.
void prepareStandardStreams() {
    const HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    if (DWORD mode = 0; GetConsoleMode(input, &mode)) {
        static ConsoleInput console(input);
        std::cin.rdbuf(&console);
    }
    static const UINT output = ::GetConsoleOutputCP();
    if (output == 0) return;  // there is no console
    ::SetConsoleOutputCP(CP_UTF8);
    std::atexit([] { ::SetConsoleOutputCP(output); });
}

Interruption::Interruption() {
    noted = Signal::none;
    SetConsoleCtrlHandler(note, TRUE);
}

Interruption::~Interruption() {
    SetConsoleCtrlHandler(note, FALSE);
}

Signal Interruption::signal() const {
    return noted;
}

void Interruption::clear() {
    noted = Signal::none;
}

}  // namespace netcluster::ctl
