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

// What is bound is an address in digits.
std::string addressOf(const PeersFile& file) {
    boost::asio::io_context io;
    boost::system::error_code error;
    const auto found = ip::udp::resolver(io).resolve(file.own.host, "", error);
    if (error || found.empty()) {
        throw Error(placeOf(file) + ": " + file.own.host +
                    " cannot be looked up: " + (error ? error.message() : "it has no address"));
    }
    return found.begin()->endpoint().address().to_string();
}

Json peersOf(const PeersFile& file) {
    Json peers = Json::array();
    for (const PeerEntry& peer : file.others) peers.push_back(peer.addr);
    // One that is alone binds its address all the same. What it sends itself it does not hear.
    if (peers.empty()) peers.push_back(file.own.addr);
    return peers;
}

std::string configOf(const PeersFile& file, const std::string& name, const std::string& keyFile) {
    Json config{{"name", name},
                {"addr", ""},
                {"netinterface", addressOf(file)},
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
    throw Error(placeOf(file) + " cannot be bound: it is no address of this host");
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
