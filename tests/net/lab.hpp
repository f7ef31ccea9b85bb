// A laboratory of hosts: network namespaces without names, which live as long as a descriptor of
// this process does. So nothing is left behind, even when the test is killed, and tests side by
// side do not meet. Their file system is shared: a host's clients connect to its sockets directly.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
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
    void ip(const std::string& arguments) const { run("ip " + arguments); }
    /// The same for any program of the system; what it printed.
    std::string run(const std::string& command) const;
    /// Runs `nft` with this script.
    void nft(const std::string& script) const;
    /// Calls `work` on a thread that is in this namespace, and returns when it is done. Sockets
    /// that it opens stay here.
    void inside(const std::function<void()>& work) const;

  private:
    int descriptor_ = -1;
};

/// Joins two namespaces by a cable. Its ends are named; they are up.
void cable(const NetworkNamespace& a, const std::string& nameA, const NetworkNamespace& b,
           const std::string& nameB);

struct HostConfig {
    std::string channels = R"("A": {"propagatetonet": true})";  ///< members of "channels"
    std::string more{};                                         ///< members of the configuration
    int heartbeat = 100;                                        ///< milliseconds; 0: unsaid
};
/// Members for HostConfig::more: room enough that no client of the test's loses anything by its own
/// slowness, so that whatever is missing was lost between the hosts.
inline constexpr std::string_view roomyQueues =
    R"("clientqueue": "256MiB", "processqueue": "1GiB", "stalltimeout": 10000)";

/// A namespace with the address 10.77.0.<number> on eth0, and an ncserver in it named h<number>.
class Host {
  public:
    explicit Host(int number) : number_(number) {}
    ~Host();  ///< of a test that failed: shows the link's counters
    int number() const { return number_; }
    std::string name() const { return "h" + std::to_string(number_); }
    std::string address() const { return "10.77.0." + std::to_string(number_); }
    const NetworkNamespace& network() const { return network_; }
    void setAddress();
    std::string configText(const HostConfig& config) const;
    void start(const HostConfig& config);
    void stop() { daemon_.reset(); }
    Daemon& daemon() const { return *daemon_; }
    std::string socket(const std::string& channel) const { return daemon_->socket(channel); }
    /// Returns when it has heard of all `others`.
    void awaitOnline(const std::vector<Host*>& others);
    Json linkStats() const { return daemon_->ask("stats").at("link"); }

  private:
    int number_;
    NetworkNamespace network_;
    std::unique_ptr<Daemon> daemon_;
};

/// Hosts at a switch. It hands on one datagram after the other as real ones do, also where the
/// sender gave them to its kernel by the dozen: so they can be lost one by one. It does no
/// snooping, there is no querier here.
struct AtSwitch {
    explicit AtSwitch(bool pluggedIn) : plugged(pluggedIn) {}
    bool plugged;
};
inline const AtSwitch atSwitch(true);
inline const AtSwitch unplugged(false);

/// Hosts that are joined, started, and (unless unplugged) online: two and a cable between them, or
/// more at a switch.
class Lab {
  public:
    explicit Lab(const std::vector<HostConfig>& configs);
    Lab(const std::vector<HostConfig>& configs, AtSwitch how);
    Host& operator[](std::size_t index) { return *hosts_.at(index); }
    std::size_t size() const { return hosts_.size(); }

    // With a switch:
    /// A further host, started, not plugged in yet.
    Host& add(const HostConfig& config);
    /// The switch's end of the host's cable leaves the switch: nobody hears the host, and it hears
    /// nobody, but its own interface is up all the same.
    void unplug(const Host& host);
    void plug(const Host& host);
    /// A namespace at the switch, with this address on its eth0, and nothing in it.
    std::unique_ptr<NetworkNamespace> guest(const std::string& address);
    const NetworkNamespace& network() const { return *switch_; }
    static std::string portOf(const Host& host) { return "port" + host.name(); }

  private:
    void makeSwitch();
    Host& wire(int number);
    void start(const std::vector<HostConfig>& configs);
    void awaitOnline();

    std::unique_ptr<NetworkNamespace> switch_;
    std::vector<std::unique_ptr<Host>> hosts_;
    int guests_ = 0;
};

}  // namespace netcluster::scenario
