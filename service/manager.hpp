// The system's manager of services, as ncserver sees it: what it asks of the daemon, together with
// what a user asks by signals or keys, and what it is told. One half per system, a whole file each:
// systemd/manager_systemd.cpp, and windows/ for the service control manager. Where no manager runs
// us (a shell, a container) the signals are all there is, and what is told goes nowhere.
//
// Owned by `run`. `next`, `ready`, `reloading` and `stopping` are for the program's main thread;
// `status` and `alive` may come from any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace netcluster::service {

struct Request {
    enum Kind { reload, stop };
    Kind kind = stop;
    std::string by;  ///< for the log: "signal 15"
};

class Manager {
  public:
    /// Requests are caught from here on; what comes before `next` is kept for it.
    Manager();
    ~Manager();
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    /// Takes over the endpoints that the manager has opened for us, so that channels find them
    /// (local::adopt). Before the server starts. Throws Error naming what is not what it should be.
    void takeEndpoints();

    /// Waits for a request.
    Request next();

    /// The start, or a reload however it went, is over: clients can connect. `status`: as below.
    void ready(const std::string& status);
    void reloading();
    /// The last thing it is told by the program; the exit status follows when `run`'s returns.
    void stopping();

    /// One line for people. Sent when it is another than the last one.
    void status(const std::string& line);
    /// The daemon works. To be said by the event loop itself, so that a loop that hangs is silent.
    void alive();
    /// How often `alive` and `status` are wanted; zero: not at all.
    std::chrono::milliseconds pulse() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Runs `program` the way the system runs services, if it was the system that started us, else as
/// the ordinary program of a console. `program` returns the exit status and lets no exception out.
int run(const std::function<int(Manager&)>& program);

}  // namespace netcluster::service
