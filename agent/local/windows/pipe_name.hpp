// A name of a pipe that this process listens at, and nobody else. Shared by the Acceptor and the
// connections that came by it, for the system keeps the name for as long as one of them lives.
#pragma once

#include <windows.h>

#include <cstdint>
#include <memory>
#include <string>

namespace netcluster::local {

class PipeName {
  public:
    /// For an acceptor. Throws Error naming the endpoint, and the pid of whoever listens there.
    static std::shared_ptr<PipeName> take(const std::string& endpoint);
    ~PipeName();
    PipeName(const PipeName&) = delete;
    PipeName& operator=(const PipeName&) = delete;

    /// True when this process has no instance of it yet: whoever has one is a stranger.
    bool isNew() const { return isNew_; }
    /// The acceptor stops.
    void release();

    /// Held beside the pipe, since only this tells two processes apart in time: the flag for a
    /// pipe's first instance does not say who has it (and Wine does not look at it).
    static std::string lockName(const std::string& endpoint);

  private:
    explicit PipeName(std::string key) : key_(std::move(key)) {}

    const std::string key_;
    HANDLE lock_ = nullptr;
    bool isNew_ = true;
    bool taken_ = true;
};

/// Why the first instance of a name could not be made, which no daemon of ours holds.
enum class Obstacle {
    listener,  ///< another process listens there
    leftover,  ///< nobody does: a client may hold an end of a pipe whose server has gone
    failure,   ///< what the system says
};
/// `error`: the system's, with FILE_FLAG_FIRST_PIPE_INSTANCE; `listener`: as listenerAt has it.
/// Pure.
Obstacle obstacleOf(DWORD error, std::int64_t listener);

/// The pid of whoever listens at `endpoint`, 0 when that cannot be told.
std::int64_t listenerAt(const std::string& endpoint);

}  // namespace netcluster::local
