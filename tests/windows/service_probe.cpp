// What the tests ask the service control manager, apart from ncserver's own commands: `sc` as far
// as Wine's does not answer it.
//
//     service_probe state                       STOPPED, START_PENDING, … or ABSENT
//     service_probe wait STATE SECONDS          until it is in this state; exit status 1: it is not
//     service_probe config                      type, start, account, command line; one a line
//     service_probe control CODE                as `sc control`
//     service_probe exitcode                    of the program, when it has stopped by itself
#include <windows.h>

#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "service_control.hpp"
#include "service_names.hpp"
#include "win32.hpp"

namespace {

using namespace netcluster;
using namespace netcluster::service;

ServiceHandle openService(DWORD access) {
    const ServiceHandle table(OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    return ServiceHandle(OpenServiceW(table.get(), serviceName, access));
}

SERVICE_STATUS_PROCESS status(const ServiceHandle& service) {
    SERVICE_STATUS_PROCESS answer{};
    DWORD size = 0;
    if (!QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO,
                              reinterpret_cast<BYTE*>(&answer), sizeof answer, &size)) {
        throw SystemError("query", GetLastError());
    }
    return answer;
}

std::string stateName() {
    static const std::map<DWORD, std::string> names{{SERVICE_STOPPED, "STOPPED"},
                                                    {SERVICE_START_PENDING, "START_PENDING"},
                                                    {SERVICE_STOP_PENDING, "STOP_PENDING"},
                                                    {SERVICE_RUNNING, "RUNNING"}};
    const ServiceHandle service = openService(SERVICE_QUERY_STATUS);
    if (!service) return "ABSENT";
    return names.at(status(service).dwCurrentState);
}

int waitFor(const std::string& wanted, int seconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (stateName() != wanted) {
        if (std::chrono::steady_clock::now() > deadline) {
            std::cout << stateName() << '\n';
            return 1;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // there is no event for it
    }
    return 0;
}

int showConfig() {
    const ServiceHandle service = openService(SERVICE_QUERY_CONFIG);
    DWORD size = 0;
    QueryServiceConfigW(service.get(), nullptr, 0, &size);
    std::vector<BYTE> memory(size);
    auto* config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(memory.data());
    if (!QueryServiceConfigW(service.get(), config, size, &size)) {
        throw SystemError("config", GetLastError());
    }
    std::cout << "type " << config->dwServiceType << "\nstart " << config->dwStartType
              << "\naccount " << narrow(config->lpServiceStartName) << "\nname "
              << narrow(config->lpDisplayName) << "\ncommand " << narrow(config->lpBinaryPathName)
              << '\n';
    return 0;
}

int sendControl(unsigned long code) {
    const ServiceHandle service = openService(SERVICE_ALL_ACCESS);
    SERVICE_STATUS answer{};
    if (ControlService(service.get(), code, &answer)) return 0;
    throw SystemError("control", GetLastError());
}

int run(const std::vector<std::string>& words) {
    const std::string what = words.empty() ? "" : words[0];
    if (what == "state") return std::cout << stateName() << '\n', 0;
    if (what == "wait") return waitFor(words.at(1), std::stoi(words.at(2)));
    if (what == "config") return showConfig();
    if (what == "control") return sendControl(std::stoul(words.at(1)));
    if (what == "exitcode") {
        const auto answer = status(openService(SERVICE_QUERY_STATUS));
        std::cout << answer.dwWin32ExitCode << ' ' << answer.dwServiceSpecificExitCode << '\n';
        return 0;
    }
    std::cerr << "service_probe: what?\n";
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "service_probe: " << error.what() << '\n';
        return 1;
    }
}
