#include <io.h>
#include <stdio.h>
#include <windows.h>

#include <winternl.h>

#include <atomic>
#include <cstdlib>

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

// There is no SIGPIPE here, and no number is given out again by chance. But a console writes and
// reads what it takes for the letters of some code page, and goes on doing so after we have ended.
void prepareStandardStreams() {
    static const UINT output = ::GetConsoleOutputCP();
    static const UINT input = ::GetConsoleCP();
    if (output == 0 && input == 0) return;  // there is none
    ::SetConsoleOutputCP(CP_UTF8);
    ::SetConsoleCP(CP_UTF8);
    std::atexit([] {
        ::SetConsoleOutputCP(output);
        ::SetConsoleCP(input);
    });
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
