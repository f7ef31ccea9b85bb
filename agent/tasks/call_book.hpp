// The calls under way: whom each waits for, what they answered, until when. Says what became of a
// call on each node, once. Owned by a Tasks, which locks around it; pure: no socket, no clock of
// its own, no callbacks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <netcluster/tasks.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pieces.hpp"

namespace netcluster::tasks {

/// Who waits for a call.
class Waiting;

/// Bytes of results of which some pieces are missing, of all calls together. Reached: the result
/// that goes beyond fails. Reason: room for two of the largest, and no more memory for whoever
/// begins results without an end.
inline constexpr std::size_t maxUnfinished = 2 * maxResult;

class CallBook {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// A node that is asked.
    struct Expected {
        std::string id{};
        std::string host{};
        std::string hostId{};  ///< with `since`: which node of that id
        std::int64_t since = 0;
        bool own = false;  ///< of this process
    };
    /// What became of a call on one node.
    struct Settled {
        std::shared_ptr<Waiting> waiting;
        Answer answer;
    };

    /// A call to at least one node; its number, from 1.
    std::uint64_t open(std::vector<Expected> nodes, std::shared_ptr<Waiting> waiting, Time now,
                       Time deadline);
    /// `answer`: node, outcome, result and error; the rest is filled in. Nothing when that node was
    /// not asked, or has been answered for: counted by `ignored`.
    std::optional<Settled> answered(std::uint64_t call, Answer answer, Time now);
    /// A piece of a result.
    struct Joined {
        bool waits = false;                  ///< for more; or
        std::optional<std::string> whole{};  ///< JSON text: it was the last one; or
        std::optional<Settled> failed{};     ///< there will be no whole. None of these: not asked
    };
    Joined piece(std::uint64_t call, const std::string& node, std::uint64_t part,
                 std::uint64_t parts, std::string_view text, Time now);
    /// These nodes are gone.
    std::vector<Settled> lost(const std::function<bool(const Expected&)>& gone,
                              std::string_view why, Time now);
    /// The nodes of this call that have not answered, unless `remoteOnly` and of this process.
    std::vector<Settled> refused(std::uint64_t call, bool remoteOnly, const std::string& why,
                                 Time now);
    /// Whose deadline has passed.
    std::vector<Settled> expired(Time now);
    /// The earliest deadline.
    std::optional<Time> nextDeadline() const;

    /// Forgets all calls; those who waited.
    std::vector<std::shared_ptr<Waiting>> close();

    std::size_t callsOpen() const { return calls_.size(); }
    /// Answers that came too late, twice, or from nodes that were not asked.
    std::uint64_t ignored() const { return ignored_; }

  private:
    struct Open {
        Expected node;
        std::unique_ptr<PieceJoiner> pieces;
    };
    struct Call {
        std::shared_ptr<Waiting> waiting;
        Time began{};
        Time deadline{};
        std::map<std::string, Open, std::less<>> open;  // by id
    };
    using Calls = std::unordered_map<std::uint64_t, Call>;
    using Opens = std::map<std::string, Open, std::less<>>;

    Settled settle(Call& call, Opens::iterator open, Answer answer, Time now);
    template <typename Which>
    void settleIf(Calls::iterator call, Which which, const Answer& answer, Time now,
                  std::vector<Settled>& settled);
    void closeIfDone(Calls::iterator call);
    void dropPieces(Open& open);

    Calls calls_;
    std::set<std::pair<Time, std::uint64_t>> deadlines_;
    std::uint64_t last_ = 0;
    std::uint64_t ignored_ = 0;
    std::size_t unfinished_ = 0;  // bytes of all pieces
};

}  // namespace netcluster::tasks
