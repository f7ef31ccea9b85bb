// A worker: a node that does tasks by scripts and by commands. Owned by main; one thread, the one
// that runs `io`. All it does it does from there: the agent's listeners are handed over to it.
//
// Life: `start` connects, loads the scripts, calls `init`, registers the node, calls `afterInit`.
// `reload` loads them anew: new tasks go to the new ones, tasks under way end in the old ones,
// which are then let go. `stop` takes no new tasks, waits for those under way, calls
// `beforeFinalize` and `finalize`, and is done.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "settings.hpp"

namespace netcluster::worker {

class Worker {
  public:
    /// Throws Error when the channel's name or a pattern of `eventCommands` is none: the command
    /// line is wrong.
    Worker(boost::asio::io_context& io, Settings settings);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Loads the scripts and lets them go again: what `start` would refuse is thrown as
    /// lua::ScriptError or Error. Needs no daemon, and therefore does not call `init`, which may
    /// ask others.
    void check();

    /// Connects and loads. `ready` is called once, from `io`: with an empty text when the node is
    /// registered and `afterInit` has been called, or with the reason why not; not at all when it
    /// is stopped before.
    void start(std::function<void(const std::string& error)> ready);
    /// Scripts that do not load change nothing; the log says why. While others are loaded, or
    /// `init` runs: as soon as that has ended.
    void reload();
    /// `done` is called once, from `io`. A second call waits for nothing any more.
    void stop(std::function<void()> done);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace netcluster::worker
