// A laboratory of hosts: network namespaces without names, which live as long as a descriptor of
// this process does. So nothing is left behind, even when the test is killed, and tests side by
// side do not meet. Their file system is shared: a host's clients connect to its sockets directly.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clients.hpp"
#include "harness.hpp"

namespace netcluster::scenario {

/// Empty, or why there can be no laboratory here.
std::string whyNoLab();

class NetworkNamespace {
  public:
    NetworkNamespace();  ///< with its loopback up
    ~NetworkNamespace();
    NetworkNamespace(const NetworkNamespace&) = delete;
    NetworkNamespace& operator=(const NetworkNamespace&) = delete;

    int descriptor() const { return descriptor_; }
    /// How `ip` is told of it.
    std::string path() const;
    /// Runs `ip` in it, with arguments separated by blanks. Throws when it fails.
    void ip(const std::string& arguments) const;

  private:
    int descriptor_ = -1;
};

/// Joins two namespaces by a cable. Its ends are named; they are up.
void cable(const NetworkNamespace& a, const std::string& nameA, const NetworkNamespace& b,
           const std::string& nameB);

struct HostConfig {
    std::string channels = R"("A": {"propagatetonet": true})";  ///< members of "channels"
    std::string more{};                                         ///< members of the configuration
};

/// A namespace with the address 10.77.0.<number> on eth0, and an ncserver in it named h<number>.
class Host {
  public:
    explicit Host(int number) : number_(number) {}
    ~Host();  ///< of a test that failed: shows the link's counters
    std::string name() const { return "h" + std::to_string(number_); }
    std::string address() const { return "10.77.0." + std::to_string(number_); }
    NetworkNamespace& network() { return network_; }
    void setAddress();
    std::string configText(const HostConfig& config) const;
    void start(const HostConfig& config);
    Daemon& daemon() { return *daemon_; }
    std::string socket(const std::string& channel) const { return daemon_->socket(channel); }
    /// Returns when it has heard of all `others`.
    void awaitOnline(const std::vector<Host*>& others);
    Json linkStats() const { return daemon_->ask("stats").at("link"); }

  private:
    int number_;
    NetworkNamespace network_;
    std::unique_ptr<Daemon> daemon_;
};

/// Two hosts and a cable between them, or more hosts on a switch. All started and online.
class Lab {
  public:
    explicit Lab(const std::vector<HostConfig>& configs);
    Host& operator[](std::size_t index) { return *hosts_.at(index); }
    std::size_t size() const { return hosts_.size(); }

  private:
    void connectBySwitch();

    std::unique_ptr<NetworkNamespace> switch_;
    std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace netcluster::scenario
