#include <windows.h>

#include <fstream>
#include <netcluster/error.hpp>
#include <system_error>

#include "host.hpp"
#include "identity.hpp"
#include "path_text.hpp"

namespace netcluster::daemon {
namespace {

namespace fs = std::filesystem;

std::string narrow(const std::wstring& text) {
    return config::textOfPath(text);
}

// As the operating system was installed; it stays when the machine is given another name.
std::string machineGuid() {
    wchar_t text[64] = {};
    DWORD size = sizeof text;
    const LSTATUS status =
        ::RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Cryptography", L"MachineGuid",
                       RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, nullptr, text, &size);
    return status == ERROR_SUCCESS ? narrow(text) : std::string();
}

}  // namespace

std::string systemHostName() {
    wchar_t name[256] = {};
    DWORD size = 256;
    if (!::GetComputerNameExW(ComputerNameDnsHostname, name, &size)) return {};
    return narrow(name).substr(0, 64);  // what a datagram has room for
}

wire::Uuid hostIdentity(const std::string& runDir) {
    std::string machine = machineGuid();
    if (machine.empty()) machine = systemHostName();
    return namedUuid(machine + ":" + runDir);
}

long long processId() {
    return ::GetCurrentProcessId();
}

// Windows has no such limit: handles are bounded by memory.
void raiseFileLimit() {}

std::string executableDirectory() {
    std::wstring path(32768, L'\0');  // the longest that the system has
    const DWORD size = ::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
    path.resize(size);
    return config::textOfPath(fs::path(path).parent_path());
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    std::ofstream file(config::pathFromText(path_), std::ios::trunc);
    file << processId() << '\n';
    file.close();
    if (!file) throw Error(path_ + ": the pid file cannot be written");
}

PidFile::~PidFile() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(config::pathFromText(path_), ignored);
}

}  // namespace netcluster::daemon
