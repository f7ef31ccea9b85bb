#include "service_control.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include "service_names.hpp"
#include "win32.hpp"

namespace netcluster::service {
namespace {

using namespace std::chrono_literals;

ServiceHandle openTable(DWORD access) {
    ServiceHandle table(OpenSCManagerW(nullptr, nullptr, access));
    if (table) return table;
    const DWORD error = GetLastError();
    if (error == ERROR_ACCESS_DENIED) {
        throw Error("this is for administrators: open a prompt with \"Run as administrator\"");
    }
    throw SystemError("the service control manager cannot be reached", error);
}

/// Null when there is no such service.
ServiceHandle find(const ServiceHandle& table, DWORD access) {
    ServiceHandle service(OpenServiceW(table.get(), serviceName, access));
    if (service) return service;
    const DWORD error = GetLastError();
    if (error == ERROR_SERVICE_DOES_NOT_EXIST) return {};
    if (error == ERROR_ACCESS_DENIED) {
        throw Error("this is for administrators: open a prompt with \"Run as administrator\"");
    }
    throw SystemError("the service netcluster cannot be opened", error);
}

ServiceHandle findOrThrow(const ServiceHandle& table, DWORD access) {
    ServiceHandle service = find(table, access);
    if (!service) throw Error("the service netcluster is not installed: ncserver install");
    return service;
}

[[noreturn]] void fail(const std::string& what) {
    const DWORD error = GetLastError();
    if (error == ERROR_SERVICE_MARKED_FOR_DELETE) {
        throw Error(
            "the service netcluster is being removed: close what still looks at it (services.msc, "
            "the task manager), then try again");
    }
    throw SystemError(what, error);
}

SERVICE_STATUS_PROCESS statusOf(const ServiceHandle& service) {
    SERVICE_STATUS_PROCESS status{};
    DWORD size = 0;
    if (!QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO,
                              reinterpret_cast<BYTE*>(&status), sizeof status, &size)) {
        fail("the service's state cannot be had");
    }
    return status;
}

/// Windows tells nobody when a state changes that is asked for in this way; it says itself how long
/// to wait between two looks, in seconds, which is too long for people.
SERVICE_STATUS_PROCESS awaitEndOf(const ServiceHandle& service, DWORD pending) {
    const auto deadline = std::chrono::steady_clock::now() + longestWait;
    for (;;) {
        const SERVICE_STATUS_PROCESS status = statusOf(service);
        if (status.dwCurrentState != pending) return status;
        if (std::chrono::steady_clock::now() > deadline) {
            throw Error("the service netcluster does not come to an end of it; see the event log");
        }
        std::this_thread::sleep_for(50ms);
    }
}

// ---- its process

/// A privilege that administrators have, and that counts only while it is turned on.
class DebugPrivilege {
  public:
    DebugPrivilege() {
        TOKEN_PRIVILEGES wanted{1, {{{}, SE_PRIVILEGE_ENABLED}}};
        if (!LookupPrivilegeValueW(nullptr, L"SeDebugPrivilege", &wanted.Privileges[0].Luid) ||
            !OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY,
                              &token_)) {
            return;
        }
        // It lists what it has changed, which is nothing for those who have not got the privilege.
        DWORD size = 0;
        if (!AdjustTokenPrivileges(token_, FALSE, &wanted, sizeof before_, &before_, &size)) {
            before_.PrivilegeCount = 0;
        }
    }
    ~DebugPrivilege() {
        if (before_.PrivilegeCount != 0) {
            AdjustTokenPrivileges(token_, FALSE, &before_, 0, nullptr, nullptr);
        }
        if (token_) CloseHandle(token_);
    }
    DebugPrivilege(const DebugPrivilege&) = delete;
    DebugPrivilege& operator=(const DebugPrivilege&) = delete;

  private:
    HANDLE token_ = nullptr;
    TOKEN_PRIVILEGES before_{};
};

struct CloseProcess {
    void operator()(HANDLE handle) const { CloseHandle(handle); }
};
using ProcessHandle = std::unique_ptr<std::remove_pointer_t<HANDLE>, CloseProcess>;

/// Null when there is none, or we may not. The process is the service's account's, which lets
/// nobody else near it: hence the privilege.
ProcessHandle openToAwait(DWORD process) {
    if (process == 0) return {};
    const DebugPrivilege privilege;
    return ProcessHandle(OpenProcess(SYNCHRONIZE, FALSE, process));
}

// ---- its entry

DWORD typeOf(StartType start) {
    return start == StartType::manual ? SERVICE_DEMAND_START : SERVICE_AUTO_START;
}

void change(const ServiceHandle& service, DWORD what, void* to) {
    if (ChangeServiceConfig2W(service.get(), what, to)) return;
    // A system that has never heard of a setting does without.
    if (GetLastError() == ERROR_INVALID_LEVEL || GetLastError() == ERROR_CALL_NOT_IMPLEMENTED) {
        return;
    }
    fail("the service cannot be set up (setting " + std::to_string(what) + ")");
}

void setDescription(const ServiceHandle& service) {
    std::wstring text = description;
    SERVICE_DESCRIPTIONW setting{text.data()};
    change(service, SERVICE_CONFIG_DESCRIPTION, &setting);
}

/// After a crash alone: a service that has given up by itself, because of its configuration or of a
/// pipe that is taken, would only do so again.
void setRestart(const ServiceHandle& service) {
    SC_ACTION actions[] = {
        {SC_ACTION_RESTART, 1000}, {SC_ACTION_RESTART, 5000}, {SC_ACTION_RESTART, 30'000}};
    SERVICE_FAILURE_ACTIONSW setting{};
    setting.dwResetPeriod = 24 * 60 * 60;
    setting.cActions = std::size(actions);
    setting.lpsaActions = actions;
    change(service, SERVICE_CONFIG_FAILURE_ACTIONS, &setting);
    SERVICE_FAILURE_ACTIONS_FLAG flag{FALSE};
    change(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag);
}

void setPrivileges(const ServiceHandle& service) {
    // All that the process keeps. By this one it opens files below folders that it may not list.
    wchar_t privileges[] = L"SeChangeNotifyPrivilege\0";
    SERVICE_REQUIRED_PRIVILEGES_INFOW setting{privileges};
    change(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &setting);
    SERVICE_SID_INFO sid{SERVICE_SID_TYPE_UNRESTRICTED};
    change(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid);
}

void setTimes(const ServiceHandle& service, StartType start) {
    SERVICE_DELAYED_AUTO_START_INFO delayed{start == StartType::delayed};
    if (start != StartType::manual)
        change(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed);
    SERVICE_PRESHUTDOWN_INFO shutdown{10'000};  // a stop takes 2 s at most
    change(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown);
}

// ---- whose it is

std::wstring commandLineOf(const ServiceHandle& service) {
    DWORD size = 0;
    QueryServiceConfigW(service.get(), nullptr, 0, &size);
    std::vector<BYTE> memory(size);
    auto* config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(memory.data());
    if (!QueryServiceConfigW(service.get(), config, size, &size)) fail("its settings");
    return config->lpBinaryPathName;
}

/// The program alone, in lower case.
std::wstring programOf(const std::wstring& line) {
    const bool inQuotes = line.starts_with(L'"');
    std::wstring program =
        inQuotes ? line.substr(1, line.find(L'"', 1) - 1) : line.substr(0, line.find(L' '));
    std::transform(program.begin(), program.end(), program.begin(), towlower);
    return program;
}

void requireOurs(const ServiceHandle& service, const std::wstring& wanted) {
    const std::wstring present = commandLineOf(service);
    if (programOf(present) == programOf(wanted)) return;
    throw Error("a service named netcluster exists already and runs " + narrow(present) +
                "; uninstall that one first");
}

}  // namespace

void requireAdministrator() {
    openTable(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
}

Installed putInTable(const std::wstring& commandLine, StartType start) {
    const ServiceHandle table = openTable(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    Installed installed = Installed::anew;
    ServiceHandle service(CreateServiceW(table.get(), serviceName, displayName, SERVICE_ALL_ACCESS,
                                         SERVICE_WIN32_OWN_PROCESS, typeOf(start),
                                         SERVICE_ERROR_NORMAL, commandLine.c_str(), nullptr,
                                         nullptr, nullptr, serviceAccount, nullptr));
    if (!service) {
        if (GetLastError() != ERROR_SERVICE_EXISTS) fail("the service cannot be installed");
        installed = Installed::again;
        service = findOrThrow(table, SERVICE_ALL_ACCESS);
        requireOurs(service, commandLine);
        if (!ChangeServiceConfigW(service.get(), SERVICE_WIN32_OWN_PROCESS, typeOf(start),
                                  SERVICE_ERROR_NORMAL, commandLine.c_str(), nullptr, nullptr,
                                  nullptr, serviceAccount, nullptr, displayName)) {
            fail("the service cannot be changed");
        }
    }
    setDescription(service);
    setRestart(service);
    setPrivileges(service);
    setTimes(service, start);
    return installed;
}

Removed takeOutOfTable() {
    const ServiceHandle table = openTable(SC_MANAGER_CONNECT);
    const ServiceHandle service = find(table, SERVICE_ALL_ACCESS);
    if (!service) return Removed::absent;
    const bool ran = stopService();
    if (!DeleteService(service.get())) fail("the service cannot be removed");
    return ran ? Removed::running : Removed::stopped;
}

Started startService() {
    const ServiceHandle table = openTable(SC_MANAGER_CONNECT);
    const ServiceHandle service = findOrThrow(table, SERVICE_START | SERVICE_QUERY_STATUS);
    Started started;
    if (!StartServiceW(service.get(), 0, nullptr)) {
        if (GetLastError() != ERROR_SERVICE_ALREADY_RUNNING) {
            fail("the service cannot be started");
        }
        started.already = true;
    }
    const SERVICE_STATUS_PROCESS status = awaitEndOf(service, SERVICE_START_PENDING);
    started.running = status.dwCurrentState == SERVICE_RUNNING;
    const bool ownStatus = status.dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR;
    started.exitStatus =
        static_cast<int>(ownStatus ? status.dwServiceSpecificExitCode : status.dwWin32ExitCode);
    return started;
}

bool stopService() {
    const ServiceHandle table = openTable(SC_MANAGER_CONNECT);
    const ServiceHandle service = findOrThrow(table, SERVICE_STOP | SERVICE_QUERY_STATUS);
    // To be had now: a service that has stopped has no process any more.
    const ProcessHandle process =
        openToAwait(awaitEndOf(service, SERVICE_START_PENDING).dwProcessId);
    SERVICE_STATUS status{};
    if (!ControlService(service.get(), SERVICE_CONTROL_STOP, &status)) {
        if (GetLastError() == ERROR_SERVICE_NOT_ACTIVE) return false;
        // Somebody else has asked for it.
        if (GetLastError() != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
            fail("the service cannot be stopped");
        }
    }
    awaitEndOf(service, SERVICE_STOP_PENDING);
    // "Stopped" comes a moment before the program's file is free to be replaced.
    if (process) WaitForSingleObject(process.get(), 5000);
    return true;
}

void askForReload() {
    const ServiceHandle table = openTable(SC_MANAGER_CONNECT);
    const ServiceHandle service = findOrThrow(table, SERVICE_USER_DEFINED_CONTROL);
    SERVICE_STATUS status{};
    if (ControlService(service.get(), controlReload, &status)) return;
    if (GetLastError() == ERROR_SERVICE_NOT_ACTIVE) {
        throw Error("the service netcluster does not run: ncserver start");
    }
    fail("the service cannot be asked to reload");
}

}  // namespace netcluster::service
