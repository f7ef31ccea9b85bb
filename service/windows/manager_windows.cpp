// The manager is the service control manager, or nobody: then the console asks, and what is told
// goes nowhere.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "manager.hpp"
#include "service_names.hpp"
#include "service_process.hpp"
#include "win32.hpp"
// After windows.h.
#include <timeapi.h>

namespace netcluster::service {
namespace {

// How long the manager waits for the next sign of a start or a stop before it takes us for dead.
// Reason: a start opens a few pipes and sockets; a stop waits 2 s for clients that read slowly.
constexpr DWORD patienceMs = 20'000;

/// What was asked for and not yet taken. Written by threads of the system's.
class Requests {
  public:
    void put(Request request) {
        {
            const std::lock_guard lock(mutex_);
            std::optional<Request>& place = request.kind == Request::stop ? stop_ : reload_;
            if (!place) place = std::move(request);
        }
        changed_.notify_one();
    }

    Request take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || reload_; });
        std::optional<Request>& place = stop_ ? stop_ : reload_;
        Request request = std::move(*place);
        place.reset();
        return request;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Request> stop_;
    std::optional<Request> reload_;
};

/// What the manager is told of the service's state.
class State {
  public:
    void handle(SERVICE_STATUS_HANDLE handle) { handle_ = handle; }

    void enter(DWORD state) {
        const std::lock_guard lock(mutex_);
        const bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
        status_.dwCheckPoint =
            pending && state == status_.dwCurrentState ? status_.dwCheckPoint + 1 : DWORD{pending};
        status_.dwWaitHint = pending ? patienceMs : 0;
        status_.dwCurrentState = state;
        status_.dwControlsAccepted = state == SERVICE_RUNNING ? accepted : 0;
        send();
    }

    void stopped(int exitStatus) {
        {
            const std::lock_guard lock(mutex_);
            status_.dwWin32ExitCode = exitStatus == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
            status_.dwServiceSpecificExitCode = static_cast<DWORD>(exitStatus);
        }
        enter(SERVICE_STOPPED);
    }

    /// The start is over. A reload that ends while a stop has begun changes nothing.
    void running() {
        if (current() == SERVICE_START_PENDING) enter(SERVICE_RUNNING);
    }

    /// One more sign of life while something takes its time.
    void goesOn() {
        const DWORD now = current();
        if (now != SERVICE_RUNNING) enter(now);
    }

    void again() {
        const std::lock_guard lock(mutex_);
        send();
    }

  private:
    // Before a shutdown, with time of its own, rather than in it, with everybody else.
    static constexpr DWORD accepted =
        SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;

    DWORD current() {
        const std::lock_guard lock(mutex_);
        return status_.dwCurrentState;
    }

    void send() {
        if (handle_) SetServiceStatus(handle_, &status_);
    }

    std::mutex mutex_;
    SERVICE_STATUS_HANDLE handle_ = nullptr;
    SERVICE_STATUS status_{.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
                           .dwCurrentState = SERVICE_START_PENDING,
                           .dwControlsAccepted = 0,
                           .dwWin32ExitCode = NO_ERROR,
                           .dwServiceSpecificExitCode = 0,
                           .dwCheckPoint = 0,
                           .dwWaitHint = patienceMs};
};

// Windows calls back without telling for whom, and there is one of each in a process.
Requests requests;
State state;
std::atomic<bool> service = false;
std::atomic<bool> consoleOnly = false;
const std::function<int(Manager&)>* serviceProgram = nullptr;
int serviceExitStatus = 0;

DWORD WINAPI control(DWORD code, DWORD, void*, void*) {
    switch (code) {
        case SERVICE_CONTROL_STOP:
            state.enter(SERVICE_STOP_PENDING);
            requests.put({Request::stop, "the service manager"});
            return NO_ERROR;
        case SERVICE_CONTROL_PRESHUTDOWN:
        case SERVICE_CONTROL_SHUTDOWN:
            state.enter(SERVICE_STOP_PENDING);
            requests.put({Request::stop, "Windows, which shuts down"});
            return NO_ERROR;
        case SERVICE_CONTROL_PARAMCHANGE:
        case controlReload:
            requests.put({Request::reload, "the service manager"});
            return NO_ERROR;
        case SERVICE_CONTROL_INTERROGATE:
            state.again();
            return NO_ERROR;
        default:
            return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

const char* nameOf(DWORD event) {
    switch (event) {
        case CTRL_C_EVENT:
            return "Ctrl-C";
        case CTRL_BREAK_EVENT:
            return "Ctrl-Break";
        case CTRL_CLOSE_EVENT:
            return "the console, which is closed";
        case CTRL_LOGOFF_EVENT:
            return "the user, who logs off";
        default:
            return "Windows, which shuts down";
    }
}

BOOL WINAPI consoleEvent(DWORD event) {
    if (service) return TRUE;  // users come and go; the service manager says when to stop
    requests.put({Request::stop, nameOf(event)});
    // After these the process is ended as soon as we return; so let it end by itself, in the time
    // that Windows gives it (5 s; a stop takes 2 s at most).
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return TRUE;
}

void WINAPI serviceMain(DWORD, wchar_t**) {
    const SERVICE_STATUS_HANDLE handle = RegisterServiceCtrlHandlerExW(serviceName, control, {});
    if (!handle) return;  // nobody to tell; the manager sees the process end
    state.handle(handle);
    service = true;
    state.enter(SERVICE_START_PENDING);
    {
        Manager manager;
        serviceExitStatus = (*serviceProgram)(manager);
    }
    state.stopped(serviceExitStatus);
}

}  // namespace

// Windows looks at its timers 64 times a second unless asked for more, and the link's (4 ms to ask
// again for what is lost) would take three times as long as they should.
constexpr UINT timerResolutionMs = 1;

class Manager::Impl {
  public:
    Impl() {
        SetConsoleCtrlHandler(consoleEvent, TRUE);
        timeBeginPeriod(timerResolutionMs);
    }
    ~Impl() { timeEndPeriod(timerResolutionMs); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
};

Manager::Manager() : impl_(std::make_unique<Impl>()) {}
Manager::~Manager() = default;

void Manager::takeEndpoints() {
    state.goesOn();  // Windows opens none for us
}
Request Manager::next() {
    return requests.take();
}
void Manager::ready(const std::string&) {
    state.running();
}
void Manager::reloading() {}
void Manager::stopping() {
    state.enter(SERVICE_STOP_PENDING);
}
void Manager::status(const std::string&) {
    state.goesOn();
}
void Manager::alive() {}
std::chrono::milliseconds Manager::pulse() const {
    return {};
}

bool isService() {
    return service;
}
void stayInConsole() {
    consoleOnly = true;
}

int run(const std::function<int(Manager&)>& program) {
    if (!consoleOnly) {
        serviceProgram = &program;
        wchar_t name[] = L"netcluster";
        const SERVICE_TABLE_ENTRYW table[] = {{name, serviceMain}, {nullptr, nullptr}};
        if (StartServiceCtrlDispatcherW(table)) return serviceExitStatus;
        // It was not the service manager that started us.
        if (const DWORD error = GetLastError(); error != ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
            throw SystemError("the service manager does not take us", error);
        }
    }
    Manager manager;
    return program(manager);
}

}  // namespace netcluster::service
