// The listening end of a local endpoint on POSIX. Owned by a channel; used on its loop thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "stream.hpp"

namespace netcluster::local {

/// A daemon's run directory, made if it is missing (0700 for a user, 0755 for root, whose sockets
/// have modes of their own), checked to be ours and not writable by strangers, and locked against a
/// second daemon for as long as this object lives. Throws Error naming the directory, and the pid
/// of the daemon that holds it.
class RunDirectory {
  public:
    explicit RunDirectory(std::string path);
    ~RunDirectory();
    RunDirectory(const RunDirectory&) = delete;
    RunDirectory& operator=(const RunDirectory&) = delete;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    int lock_ = -1;
};

class Acceptor {
  public:
    struct Rights {
        std::uint32_t mode = 0660;
        std::string group;  ///< empty: the daemon's own
        bool operator==(const Rights&) const = default;
    };

    /// Listens at `endpoint`. A stale socket there (nobody accepts) is replaced. Throws Error
    /// naming the endpoint: a live owner (with its pid), something that is not a socket, a path too
    /// long, an unknown group.
    /// An endpoint that was handed over to the process is used as it is: its rights are for whoever
    /// made it to set, and it stays when this goes.
    Acceptor(boost::asio::io_context& io, std::string endpoint, const Rights& rights);
    /// Stops and removes the endpoint.
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// Calls `accepted` for each new connection until `stop`. Out of file descriptors, it sheds the
    /// waiting connection and goes on after a pause of 100 ms, without spinning; `trouble` is told.
    void start(std::function<void(Stream)> accepted,
               std::function<void(const std::string&)> trouble);
    void stop();

    /// Changes mode and group of a living endpoint (reload), not of one that was handed over.
    /// Throws Error.
    void setRights(const Rights& rights);

    const std::string& endpoint() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // shared with the wait that is under way
};

/// Keeps the 1.x path as a symbolic link to `endpoint` for as long as it lives. Takes the path if
/// it is free, dangling, or (for the system's own daemon) whatever it links to; never touches
/// anything that is not a link. Does nothing where it may not write.
class LegacyLink {
  public:
    LegacyLink(std::string path, std::string endpoint, bool systemDaemon);
    ~LegacyLink();
    LegacyLink(const LegacyLink&) = delete;
    LegacyLink& operator=(const LegacyLink&) = delete;

    bool held() const { return held_; }

  private:
    std::string path_;
    std::string endpoint_;
    bool held_ = false;
};

}  // namespace netcluster::local
