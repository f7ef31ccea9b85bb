// Who is let in when the link has keys. A sealed datagram proves that its sender had the key, not
// that it speaks now: a recording of an old session is sealed as well. So a session that is not
// known yet is asked to prove that it is alive (CHALLENGE, PROOF), and what it said before that is
// not taken: nobody can tell it from a recording of this very session. Of a session that is known,
// no datagram is taken twice (RFC 6479's window).
// Without keys nothing is proven, and nobody asks. Owned by Link; pure, the caller brings the clock
// and the chance.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "datagram.hpp"
#include "replay_window.hpp"

namespace netcluster::daemon::link {

/// Sessions that may be asked at a time; the one asked most often gives way. Reason: all hosts of a
/// LAN that starts at once.
inline constexpr std::size_t maxWaiting = 32;
/// A session that has not answered is asked again after this, and forgotten after so many askings.
inline constexpr std::chrono::milliseconds challengePause{50};
inline constexpr int challengeTries = 10;
/// Sessions known to be alive. Reason: twice what the receiver remembers.
inline constexpr std::size_t maxKnown = 128;

class Doorkeeper {
  public:
    enum class Verdict {
        pass,
        unproven,   ///< its session has still to prove that it is alive
        duplicate,  ///< taken before
    };
    explicit Doorkeeper(std::function<Nonce()> makeNonce) : makeNonce_(std::move(makeNonce)) {}

    /// Of a datagram that was opened with a key.
    Verdict judge(Time now, const Header& header);
    /// A datagram of a known session that was taken before; else it is taken now.
    bool seenBefore(const Header& header);
    /// A PROOF: if our nonce is among these, its session is known from here on. All that it has
    /// numbered before counts as seen.
    void onProof(Time now, const Header& header, const std::vector<Nonce>& nonces);

    /// Whom to ask now. Sessions that never answered are forgotten: `unproven` counts their
    /// datagrams.
    void ask(Time now, std::vector<Challenge>& challenges);
    std::optional<Time> deadline() const;
    std::uint64_t unproven() const { return unproven_; }

  private:
    struct Waiting {
        Nonce nonce{};
        Time due;
        int tries = 0;
        std::uint64_t said = 0;  ///< datagrams
    };
    struct Known {
        ReplayWindow window;
        Time heard;
    };

    void await(Time now, const wire::Uuid& session);
    void forgetMostAsked();
    Known& admit(Time now, const wire::Uuid& session);

    std::function<Nonce()> makeNonce_;
    std::map<wire::Uuid, Waiting> waiting_;
    std::map<wire::Uuid, std::unique_ptr<Known>> known_;
    std::uint64_t unproven_ = 0;
};

}  // namespace netcluster::daemon::link
