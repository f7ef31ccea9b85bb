// Who is around, hosts of the link and nodes, as the daemon tells it; and what to tell somebody who
// knows an earlier state of that. Values without locks of their own.
#pragma once

#include <map>
#include <memory>
#include <netcluster/agent.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster {

/// Somebody who is there.
struct Known {
    /// As it is told when it comes. Shared by all who tell and were told; never changed.
    std::shared_ptr<const Presence> presence;
    std::string session{};  ///< another one: it went, and came anew
    /// The daemon we are connected to now has told of it. Else an earlier one has, or the same one
    /// before the connection was lost.
    bool confirmed = true;
};
using KnownById = std::map<std::string, Known, std::less<>>;

struct Around {
    KnownById hosts;
    KnownById nodes;

    /// The daemon is another one, or has forgotten what it told us.
    void doubtAll();
    /// Whoever is there has been told.
    void forgetDoubtful();
};

/// What is different after a notice.
struct Change {
    enum class What { nothing, host, node, all };
    What what = What::nothing;
    std::string id{};   ///< of the host or node
    std::string why{};  ///< it went, if it did and the daemon said so
};

/// What somebody knows of who is around.
class Told {
  public:
    using Presences = std::vector<std::shared_ptr<const Presence>>;

    /// What to tell them now, in order: who went first, nodes before their host goes and after it
    /// has come. Of somebody who is not confirmed they are told nothing new. They know it then.
    Presences learn(const Around& now, const Change& change);
    void clear();

  private:
    Around told_;
};

/// Why somebody went, when they did so while nobody told us.
inline constexpr const char* wentAway = "away";
inline constexpr const char* wasRestarted = "restarted";

}  // namespace netcluster
