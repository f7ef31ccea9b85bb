// The service in the table of the service control manager: in it and out of it, started, stopped,
// asked to read its configuration again. For administrators. Any thread. Throws Error that says
// what to do where that is known; SystemError for the rest.
#pragma once

#include <chrono>
#include <string>

namespace netcluster::service {

/// Throws what to do when this is nobody who may install services.
void requireAdministrator();

enum class StartType {
    delayed,    ///< with Windows, but after what people wait for: about two minutes later
    automatic,  ///< with Windows
    manual
};

enum class Installed { anew, again };

/// Puts the service in the table, or brings what stands there up to date. `commandLine`: the
/// program with its arguments, quoted. One of that name that runs another program is refused.
Installed putInTable(const std::wstring& commandLine, StartType start);

/// How it was before.
enum class Removed { stopped, running, absent };
/// Stops it and takes it out. Waits for the end of the process.
Removed takeOutOfTable();

struct Started {
    bool already = false;
    bool running = false;
    int exitStatus = 0;  ///< of the program, when it does not run
};
/// Returns when clients can connect, or when it has given up.
Started startService();

/// Returns when the process has ended; false: it did not run.
bool stopService();

/// Asks the running service to read its configuration again; does not wait.
void askForReload();

/// Starts, stops and reloads take a few seconds at most; a machine that is busy, a bit more.
inline constexpr std::chrono::seconds longestWait{60};

}  // namespace netcluster::service
