#include "embedded.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "path_text.hpp"

namespace netcluster::cluster {
namespace {

namespace ip = boost::asio::ip;

constexpr const char* channel = "cluster";

// How errors call the server's own line of the file.
std::string placeOf(const PeersFile& file) {
    return file.name + ":" + std::to_string(file.own.line) + ": " + file.own.addr;
}

[[noreturn]] void refuseForeign(const PeersFile& file) {
    throw Error(placeOf(file) + " cannot be bound: it is no address of this host");
}

// Digits are not looked up: a host without IPv6 finds no address for "::1".
ip::address lookedUp(const PeersFile& file) {
    boost::system::error_code error;
    const auto digits = ip::make_address(file.own.host, error);
    if (!error) return digits;
    boost::asio::io_context io;
    const auto found = ip::udp::resolver(io).resolve(file.own.host, "", error);
    if (error || found.empty()) {
        throw Error(placeOf(file) + ": " + file.own.host +
                    " cannot be looked up: " + (error ? error.message() : "it has no address"));
    }
    return found.begin()->endpoint().address();
}

// What is bound. The system would also bind what is meant for many.
ip::address addressOf(const PeersFile& file) {
    const ip::address address = lookedUp(file);
    const bool all = address.is_v4() && address.to_v4() == ip::address_v4::broadcast();
    if (all || address.is_multicast()) refuseForeign(file);
    return address;
}

// The link writes from our address, and from no other. Where names are it finds out itself.
void checkFamilies(const PeersFile& file, const ip::address& own) {
    const auto familyOf = [](const ip::address& address) {
        return std::string(address.is_v6() ? "IPv6" : "IPv4");
    };
    for (const PeerEntry& peer : file.others) {
        boost::system::error_code notDigits;
        const auto address = ip::make_address(peer.host, notDigits);
        if (notDigits || address.is_v6() == own.is_v6()) continue;
        throw Error(file.name + ":" + std::to_string(peer.line) + ": " + file.own.addr + " and " +
                    peer.addr + " are of different families (" + familyOf(own) + ", " +
                    familyOf(address) + "): they cannot reach each other");
    }
}

Json peersOf(const PeersFile& file) {
    Json peers = Json::array();
    for (const PeerEntry& peer : file.others) peers.push_back(peer.addr);
    // One that is alone binds its address all the same. What it sends itself it does not hear.
    if (peers.empty()) peers.push_back(file.own.addr);
    return peers;
}

std::string configOf(const PeersFile& file, const std::string& name, const std::string& keyFile) {
    const ip::address own = addressOf(file);
    checkFamilies(file, own);
    Json config{{"name", name},
                {"addr", ""},
                {"netinterface", own.to_string()},
                {"port", file.own.port},
                {"peers", peersOf(file)},
                {"startcontrol", false},
                {"maxevent", maxEvent},
                // What 64 others may have under way to us, so that a client of ours is never late.
                {"clientqueue", 2 * maxEvent + (std::size_t{64} << 20)},
                {"processqueue", 4 * maxEvent + (std::size_t{64} << 20)},
                {"channels", {{"control", Json::object()}, {channel, {{"propagatetonet", true}}}}}};
    if (!keyFile.empty()) {
        config["netkeyfile"] =
            config::textOfPath(std::filesystem::absolute(config::pathFromText(keyFile)));
    }
    return config.dump();
}

std::function<void(const std::string&)> warningsOf(Pid pid, const Options& options) {
    if (options.onWarning) return options.onWarning;
    return [pid](const std::string& line) {
        std::fprintf(stderr, "netcluster: server %lld: %s\n", static_cast<long long>(pid),
                     line.c_str());
    };
}

void startDaemon(netcluster::Server& daemon, const PeersFile& file) {
    try {
        daemon.start();
    } catch (const ConfigError& error) {
        throw Error(placeOf(file) + ": " +
                    (error.problems.empty() ? error.what() : error.problems.front()));
    } catch (const Error& error) {
        throw Error(placeOf(file) + ": " + error.what());
    }
    const Json unicast = daemon.stats().at("link").at("unicast");
    if (unicast.value("ipv4", false) || unicast.value("ipv6", false)) return;
    refuseForeign(file);
}

}  // namespace

Embedded::RunDirectory::RunDirectory(const std::string& name)
    : path(config::textOfPath(std::filesystem::temp_directory_path() / ("netcluster-" + name))) {}

Embedded::RunDirectory::~RunDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(config::pathFromText(path), ignored);
}

Embedded::Embedded(const PeersFile& file, const std::string& name, const Options& options)
    : runDir_(name) {
    daemon_ = std::make_unique<netcluster::Server>(
        ServerOptions{.configText = configOf(file, name, options.keyFile),
                      .runDir = runDir_.path,
                      .onWarning = warningsOf(file.own.pid, options)});
    startDaemon(*daemon_, file);
    agent_ = std::make_unique<Agent>(
        channel,
        netcluster::Options{.dir = runDir_.path, .name = name, .queueLimit = 2 * maxEvent});
}

Embedded::~Embedded() {
    agent_.reset();
    daemon_.reset();
}

}  // namespace netcluster::cluster
