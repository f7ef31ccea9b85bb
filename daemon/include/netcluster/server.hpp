// The daemon as a library: what `ncserver` is, inside your own process.
//
//     netcluster::Server server({.configFile = "/etc/netcluster/config.json"});
//     server.start();                 // channels are open, the link is up or known to be down
//     …
//     server.reload();                // reads the file again; one transaction
//     server.stop();
//
// A Server runs on one thread of its own. All its functions may be called from any other thread,
// one after the other.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <netcluster/error.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace netcluster {

struct ServerOptions {
    std::string configFile{};  ///< read by `start`, and by `reload` again
    std::string configText{};  ///< used when `configFile` is empty
    std::string runDir{};  ///< where the sockets are; empty: the default (docs/configuration.md)
    /// Takes what the log would say, as far as it is a warning or an error, a line each. Without it
    /// all of the log goes to spdlog's default logger. Called by the server's own thread, and by
    /// those that call `start` and `stop`. It must not call the Server.
    std::function<void(const std::string& line)> onWarning{};
    /// Called every `pulse` by the server's own thread, with a summary: proof that the server is
    /// not stuck. It must not block or call the Server. `pulse` zero: never.
    std::function<void(const std::string& summary)> onPulse{};
    std::chrono::milliseconds pulse{0};
};

/// Thrown by `start` when the configuration is refused; `problems` lists everything that is wrong,
/// as `file:line:column: /pointer: what`.
class ConfigError : public Error {
  public:
    ConfigError(const std::string& what, std::vector<std::string> all)
        : Error(what), problems(std::move(all)) {}
    std::vector<std::string> problems;
};

class Server {
  public:
    explicit Server(ServerOptions options);
    ~Server();  ///< stops it
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Returns when clients can connect. Throws ConfigError, or Error naming what cannot be opened.
    void start();
    /// The answer of `ncctl reloadconfig`: what changed, or `error` and `problems`; then nothing
    /// has changed. `path` empty: the file in force.
    nlohmann::json reload(const std::string& path = "");
    /// One line for people: how many channels, clients and other hosts there are, and why the last
    /// reload was refused, if it was.
    std::string summary();
    /// What `ncctl stats` shows.
    nlohmann::json stats();
    /// Clients get what they are owed (at most 2 s), the sockets are removed. Idempotent.
    void stop();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace netcluster
