// How a Worker does it; for worker*.cpp alone.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <map>
#include <netcluster/tasks.hpp>
#include <optional>

#include "commands.hpp"
#include "generation.hpp"
#include "log_lines.hpp"
#include "worker.hpp"

namespace netcluster::worker {

class Worker::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(boost::asio::io_context& io, Settings settings);

    void check();
    void start(std::function<void(const std::string& error)> ready);
    void reload();
    void stop(std::function<void()> done);
    /// No callback of ours runs any more.
    void close();

  private:
    using Then = std::function<void()>;
    using Answering = std::function<void(lua::Script::Outcome&&)>;

    // -- beginning: worker.cpp, in this order
    void watchDaemon();
    void missed(const Gap& gap);
    void checkPattern(const std::string& pattern, const std::string& where);
    std::string host();
    void defaultId();
    void connected();
    /// `done`: why it is none; empty when it is one. Not called once it stops.
    void registerNode(std::function<void(const std::string& error)> done);
    void firstRegistered(const std::string& error);
    void nodeLost(const std::string& why);
    void registerLater();
    void started();
    void notStarted(const std::string& why);

    // -- generations: worker_scripts.cpp
    Json configOfScripts();
    std::shared_ptr<Generation> loadScripts();
    void loadFirst();
    void initialized(const std::shared_ptr<Generation>& first, lua::Script::Outcome&& outcome);
    /// Empty, or what has to end before scripts can be loaded anew.
    std::string busyLoading() const;
    void activate(const std::shared_ptr<Generation>& generation);
    void deactivate(Generation& generation);
    void reloaded(const std::shared_ptr<Generation>& next, lua::Script::Outcome&& outcome);
    void notReloaded(const std::string& why) const;
    void finalizeOld(const std::shared_ptr<Generation>& generation);
    void retire(const Generation& generation);

    // -- stopping: worker_stop.cpp
    void stopWhenIdle();
    void stopNow();
    void finalizeAll();
    void finished();

    // -- calls: worker_calls.cpp
    /// A caller's host by name: events of this one do not say it.
    std::string hostOf(std::string_view said);
    void onTask(const Task& task, Reply reply);
    void onScriptTask(const Task& task, Reply reply);
    void onCommandTask(const std::string& line, const Task& task, Reply reply);
    void onEvent(Generation& generation, const std::string& function, const Event& event);
    void onCommandEvent(const std::string& line, const Event& event);
    /// Empty, or why no more calls are taken.
    std::string refusal(std::size_t bytes) const;
    std::string commandRefusal() const;
    void call(const std::shared_ptr<Generation>& generation, const std::string& kind,
              lua::Script::Call call, std::size_t bytes, Answering done);
    /// Calls the script's function of that name, if there is one, and goes on.
    void hook(const std::shared_ptr<Generation>& generation, const std::string& name,
              Answering done);
    void hook(const std::shared_ptr<Generation>& generation, const std::string& name, Then then);
    void failed(const std::shared_ptr<Generation>& generation, const std::string& kind,
                const std::string& name, const lua::Script::Outcome& outcome);
    /// Counts it, and tells of it now or, with others, in a while.
    void refused(const std::string& what, const std::string& why);
    void tellRefused();
    std::size_t underWay() const;

    // -- turns: worker_turns.cpp
    void wake();
    void turn();
    void lookAround();
    void runSchedules(const std::shared_ptr<Generation>& generation);
    void armSchedules();

    // -- what scripts can ask for: worker_functions.cpp
    void define(Generation& generation);
    void defineCalls(Generation& generation);
    void defineRest(Generation& generation);
    Json info();

    boost::asio::io_context& io_;
    LogLines lines_;
    Settings settings_;
    std::map<std::string, std::string> commands_;
    ExecRunner exec_;
    std::optional<Tasks> tasks_;
    std::shared_ptr<Generation> current_;
    std::list<std::shared_ptr<Generation>> generations_;  ///< with calls, or current
    int lastNumber_ = 0;
    boost::asio::steady_timer scheduleTimer_;
    boost::asio::steady_timer lookTimer_;
    boost::asio::steady_timer graceTimer_;
    boost::asio::steady_timer againTimer_;
    boost::asio::steady_timer refusedTimer_;  ///< runs: the next refusals are told when it ends
    bool refusedTelling_ = false;
    bool waking_ = false;
    bool looking_ = false;
    bool closed_ = false;
    bool lost_ = false;  ///< the daemon
    bool reloading_ = false;
    bool reloadAgain_ = false;
    std::function<void(const std::string&)> ready_;
    std::function<void()> stopped_;
    enum class Stage { running, stopping, finalizing, stopped } stage_ = Stage::running;
    std::size_t bytes_ = 0;  ///< of data of calls that have not ended
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::uint64_t done_ = 0, failed_ = 0, refused_ = 0, cut_ = 0, missed_ = 0;
    std::uint64_t loads_ = 0;    ///< of scripts, that were taken
    std::uint64_t skipped_ = 0;  ///< by schedules of scripts before the current ones
    std::uint64_t refusedUntold_ = 0;
    std::string refusedLast_{};  ///< what was refused last, and why
};

}  // namespace netcluster::worker
