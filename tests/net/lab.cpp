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

std::string programPath(const std::string& name) {
    for (const char* directory : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
        if (access((directory + name).c_str(), X_OK) == 0) return directory + name;
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
    for (const auto& [program, package] :
         {std::pair{"ip", "iproute2"}, std::pair{"tc", "iproute2"}, std::pair{"nft", "nftables"}}) {
        if (!programPath(program).empty()) continue;
        return std::string("the program `") + program + "` (package " + package +
               ") is not installed";
    }
    try {
        const NetworkNamespace a;
        const NetworkNamespace b;
        cable(a, "eth0", b, "eth0");
        a.nft("table inet probe { }");
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

std::string NetworkNamespace::run(const std::string& command) const {
    std::vector<std::string> all;
    std::istringstream words(command);
    for (std::string word; words >> word;) all.push_back(word);
    all.front() = programPath(all.front());
    Process process(all, {.networkNamespace = descriptor_});
    if (process.wait() != 0) throw Error(command + ": " + process.err.text());
    process.out.waitForEnd();
    return process.out.text();
}

void NetworkNamespace::nft(const std::string& script) const {
    const Scratch scratch;
    run("nft -f " + scratch.write("script", script));
}

void NetworkNamespace::inside(const std::function<void()>& work) const {
    std::exception_ptr error;
    std::thread([&] {
        try {
            if (setns(descriptor_, CLONE_NEWNET) != 0) throw Error("cannot enter the namespace");
            work();
        } catch (...) {
            error = std::current_exception();
        }
    }).join();
    if (error) std::rethrow_exception(error);
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
    return "{\"name\": \"" + name() + "\"" +
           (config.heartbeat == 0 ? "" : ", \"heartbeat\": " + std::to_string(config.heartbeat)) +
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
    const bool byCable = configs.size() == 2;
    if (!byCable) makeSwitch();
    for (std::size_t n = 0; n < configs.size(); ++n) wire(static_cast<int>(n) + 1);
    if (byCable) cable(hosts_[0]->network(), "eth0", hosts_[1]->network(), "eth0");
    for (std::size_t n = 0; n < hosts_.size() && !byCable; ++n) plug(*hosts_[n]);
    start(configs);
    awaitOnline();
}

Lab::Lab(const std::vector<HostConfig>& configs, AtSwitch how) {
    makeSwitch();
    for (std::size_t n = 0; n < configs.size(); ++n) {
        const Host& host = wire(static_cast<int>(n) + 1);
        if (how.plugged) plug(host);
    }
    start(configs);
    if (how.plugged) awaitOnline();
}

void Lab::makeSwitch() {
    switch_ = std::make_unique<NetworkNamespace>();
    switch_->ip("link add br0 type bridge mcast_snooping 0 forward_delay 0");
    switch_->ip("link set br0 up");
}

void Lab::start(const std::vector<HostConfig>& configs) {
    for (std::size_t n = 0; n < hosts_.size(); ++n) {
        hosts_[n]->setAddress();
        hosts_[n]->start(configs[n]);
    }
}

void Lab::awaitOnline() {
    std::vector<Host*> all;
    for (auto& host : hosts_) all.push_back(host.get());
    for (auto& host : hosts_) host->awaitOnline(all);
}

Host& Lab::wire(int number) {
    hosts_.push_back(std::make_unique<Host>(number));
    Host& host = *hosts_.back();
    if (switch_) {
        cable(*switch_, portOf(host), host.network(), "eth0");
        host.network().ip("link set eth0 gso_max_segs 1");
    }
    return host;
}

Host& Lab::add(const HostConfig& config) {
    Host& host = wire(static_cast<int>(hosts_.size()) + 1);
    host.setAddress();
    host.start(config);
    return host;
}

void Lab::unplug(const Host& host) {
    switch_->ip("link set " + portOf(host) + " nomaster");
}

void Lab::plug(const Host& host) {
    switch_->ip("link set " + portOf(host) + " master br0");
}

std::unique_ptr<NetworkNamespace> Lab::guest(const std::string& address) {
    auto guest = std::make_unique<NetworkNamespace>();
    const std::string port = "guest" + std::to_string(++guests_);
    cable(*switch_, port, *guest, "eth0");
    switch_->ip("link set " + port + " master br0");
    guest->ip("addr add " + address + "/24 dev eth0");
    return guest;
}

}  // namespace netcluster::scenario
