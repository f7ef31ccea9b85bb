// The daemon and the agent inside of a Server, from start to stop. Owned by Server::Impl.
#pragma once

#include <memory>
#include <netcluster/agent.hpp>
#include <netcluster/server.hpp>
#include <string>

#include "peers_file.hpp"

namespace netcluster::cluster {

/// Data of an event at most: an envelope's message, and what is said of it.
inline constexpr std::size_t maxMessage = std::size_t{16} << 20;
/// Nesting of a message at most: what an event may have (32), less the envelope around it.
inline constexpr std::size_t maxMessageDepth = 30;
inline constexpr std::size_t maxEvent = maxMessage + (std::size_t{64} << 10);

class Embedded {
  public:
    /// Starts the daemon under `name` (see Post). Throws Error naming the address when it cannot be
    /// bound.
    Embedded(const PeersFile& file, const std::string& name, const Options& options);
    /// Says goodbye; everything that it made is gone.
    ~Embedded();
    Embedded(const Embedded&) = delete;
    Embedded& operator=(const Embedded&) = delete;

    /// Not connected yet: its listeners come first.
    Agent& agent() { return *agent_; }

  private:
    /// Made by the daemon for itself alone.
    struct RunDirectory {
        explicit RunDirectory(const std::string& name);
        ~RunDirectory();
        std::string path;
    };

    RunDirectory runDir_;
    std::unique_ptr<netcluster::Server> daemon_;
    std::unique_ptr<Agent> agent_;
};

}  // namespace netcluster::cluster
