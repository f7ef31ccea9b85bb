#include <sys/resource.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <fstream>
#include <netcluster/error.hpp>

#include "host.hpp"
#include "identity.hpp"

namespace netcluster::daemon {

std::string systemHostName() {
    char name[HOST_NAME_MAX + 1] = {};
    gethostname(name, sizeof name - 1);
    return std::string(name).substr(0, 64);  // what a datagram has room for
}

wire::Uuid hostIdentity(const std::string& runDir) {
    std::string machine;
    std::ifstream("/etc/machine-id") >> machine;
    if (machine.empty()) machine = systemHostName();
    return namedUuid(machine + ":" + runDir);
}

long long processId() {
    return getpid();
}

void raiseFileLimit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::string executableDirectory() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    std::ofstream file(path_, std::ios::trunc);
    file << getpid() << '\n';
    file.close();
    if (!file) throw Error(path_ + ": the pid file cannot be written");
}

PidFile::~PidFile() {
    if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace netcluster::daemon
