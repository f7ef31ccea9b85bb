#include "lab.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <sstream>
#include <thread>

namespace netcluster::scenario {
namespace {

std::string ipProgram() {
    for (const char* path : {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"}) {
        if (access(path, X_OK) == 0) return path;
    }
    return "";
}

// A thread enters a namespace of its own and hands out a descriptor of it.
int makeNamespace() {
    int descriptor = -1;
    int code = 0;
    std::thread([&] {
        if (unshare(CLONE_NEWNET) == 0) {
            descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        }
        code = errno;
    }).join();
    errno = code;
    return descriptor;
}

}  // namespace

std::string whyNoLab() {
    if (geteuid() != 0) return "only root can make network namespaces";
    if (ipProgram().empty()) return "the program `ip` (package iproute2) is not installed";
    try {
        const NetworkNamespace a;
        const NetworkNamespace b;
        cable(a, "eth0", b, "eth0");
        return "";
    } catch (const std::exception& error) {
        return error.what();
    }
}

// -- NetworkNamespace --------------------------------------------------------------------------

NetworkNamespace::NetworkNamespace() : descriptor_(makeNamespace()) {
    if (descriptor_ < 0) throw Error(std::string("no network namespace: ") + std::strerror(errno));
    ip("link set lo up");
}

NetworkNamespace::~NetworkNamespace() {
    if (descriptor_ >= 0) close(descriptor_);
}

std::string NetworkNamespace::path() const {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(descriptor_);
}

void NetworkNamespace::ip(const std::string& arguments) const {
    std::vector<std::string> all{ipProgram()};
    std::istringstream words(arguments);
    for (std::string word; words >> word;) all.push_back(word);
    Process process(all, {.networkNamespace = descriptor_});
    if (process.wait() != 0) throw Error("ip " + arguments + ": " + process.err.text());
}

void cable(const NetworkNamespace& a, const std::string& nameA, const NetworkNamespace& b,
           const std::string& nameB) {
    a.ip("link add " + nameA + " type veth peer name " + nameB + " netns " + b.path());
    a.ip("link set " + nameA + " up");
    b.ip("link set " + nameB + " up");
}

// -- Host --------------------------------------------------------------------------------------

Host::~Host() {
    if (std::uncaught_exceptions() == 0 || !daemon_) return;
    try {
        std::cerr << name() << " says of its link: " << linkStats().dump() << '\n';
    } catch (const std::exception& error) {
        std::cerr << name() << " says nothing: " << error.what() << '\n';
    }
}

void Host::setAddress() {
    network_.ip("addr add " + address() + "/24 dev eth0");
}

std::string Host::configText(const HostConfig& config) const {
    return "{\"name\": \"" + name() + "\", \"heartbeat\": 100" +
           (config.more.empty() ? "" : ", " + config.more) + ", \"channels\": {\"control\": {}, " +
           config.channels + "}}";
}

void Host::start(const HostConfig& config) {
    daemon_.reset();
    daemon_ = std::make_unique<Daemon>(
        configText(config), DaemonOptions{.spawn = {.networkNamespace = network_.descriptor()}});
}

void Host::awaitOnline(const std::vector<Host*>& others) {
    for (const Host* other : others) {
        if (other != this) daemon_->awaitLog("host " + other->name() + " is online");
    }
}

// -- Lab ---------------------------------------------------------------------------------------

Lab::Lab(const std::vector<HostConfig>& configs) {
    std::vector<Host*> all;
    for (std::size_t n = 0; n < configs.size(); ++n) {
        hosts_.push_back(std::make_unique<Host>(static_cast<int>(n) + 1));
        all.push_back(hosts_.back().get());
    }
    if (hosts_.size() == 2) {
        cable(hosts_[0]->network(), "eth0", hosts_[1]->network(), "eth0");
    } else {
        connectBySwitch();
    }
    for (std::size_t n = 0; n < hosts_.size(); ++n) {
        hosts_[n]->setAddress();
        hosts_[n]->start(configs[n]);
    }
    for (auto& host : hosts_) host->awaitOnline(all);
}

void Lab::connectBySwitch() {
    switch_ = std::make_unique<NetworkNamespace>();
    // No snooping: there is no querier here.
    switch_->ip("link add br0 type bridge mcast_snooping 0 forward_delay 0");
    switch_->ip("link set br0 up");
    for (auto& host : hosts_) {
        const std::string port = "port" + host->name();
        cable(*switch_, port, host->network(), "eth0");
        switch_->ip("link set " + port + " master br0");
    }
}

}  // namespace netcluster::scenario
