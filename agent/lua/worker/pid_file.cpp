#include "pid_file.hpp"

#include <unistd.h>

#include <fstream>
#include <netcluster/error.hpp>

namespace netcluster::worker {

PidFile::PidFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    std::ofstream file(path_, std::ios::trunc);
    file << ::getpid() << '\n';
    if (!file.flush()) throw Error("cannot write the pid file " + path_);
}

PidFile::~PidFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace netcluster::worker
