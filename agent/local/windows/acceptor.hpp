// The listening end of a local endpoint on Windows. Owned by a channel; used on its loop thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "stream.hpp"

namespace netcluster::local {

/// A daemon's run directory, made if it is missing (for administrators, the system and the owner to
/// write), checked to be ours, and locked against a second daemon for as long as this object lives.
/// The endpoints are not in it, but have their names from it. Throws Error naming the directory,
/// and the pid of the daemon that holds it.
class RunDirectory {
  public:
    explicit RunDirectory(std::string path);
    ~RunDirectory();
    RunDirectory(const RunDirectory&) = delete;
    RunDirectory& operator=(const RunDirectory&) = delete;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    void* lock_ = nullptr;
};

class Acceptor {
  public:
    /// What they mean here: see descriptorText in security.hpp.
    struct Rights {
        std::uint32_t mode = 0660;
        std::string
            group;  ///< empty: who is logged on, if the daemon serves the machine; else none
        bool operator==(const Rights&) const = default;
    };

    /// Listens at `endpoint`. Throws Error naming the endpoint: a live owner (with its pid), a name
    /// that is none or too long, an unknown group.
    Acceptor(boost::asio::io_context& io, std::string endpoint, const Rights& rights);
    /// Stops. The name goes with the last connection that came by it.
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// Calls `accepted` for each new connection until `stop`. When the system gives no further
    /// instance of the pipe, it tries again every 100 ms; `trouble` is told.
    void start(std::function<void(Stream)> accepted,
               std::function<void(const std::string&)> trouble);
    void stop();

    /// Changes mode and group of a living endpoint (reload). Throws Error.
    void setRights(const Rights& rights);

    const std::string& endpoint() const;

    /// Instances that wait for a client. Reason: so many may come at once without having to wait
    /// for a turn of the loop; those that come beyond wait a moment (connectTo, and Node).
    static constexpr std::size_t waitingInstances = 8;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // shared with the waits that are under way
};

/// On POSIX, the path where a 1.x agent looks. Here that is the name which the system's own daemon
/// uses anyway: this does nothing.
class LegacyLink {
  public:
    LegacyLink(const std::string&, const std::string&, bool) {}
    bool held() const { return false; }
};

}  // namespace netcluster::local
