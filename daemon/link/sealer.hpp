// Encrypts and authenticates the datagrams of the link with the group's keys. docs/link-protocol.md
// draws a sealed datagram, docs/security.md says what that is good for. Owned by Link; one thread;
// no sockets, no clock, no logging. What comes in here is from anyone on the network.
//
// ChaCha20-Poly1305 (RFC 8439) with a subkey per group key and session; the nonce is the packet
// number. This is safe because nobody uses a nonce twice under one subkey:
// - a subkey belongs to one session, that is to one run of one sender's link: 128 random bits;
// - within a session each datagram has a number of its own, and a datagram that goes out by several
//   interfaces is sealed once and copied;
// - the numbers go on when the session goes from one group key to another. Each key has its own
//   subkey, and a session that comes back to a former key comes back with higher numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datagram.hpp"
#include "keyring.hpp"

namespace netcluster::daemon::link {

/// How many subkeys of other hosts' sessions are kept. Reason: as many sessions as are received at
/// a time; a subkey that is not kept is derived anew, for half a microsecond.
inline constexpr std::size_t maxSubkeys = 64;

enum class Opened {
    ok,
    unknownKey,    ///< names a key that we do not have
    forged,        ///< not made with this key, or changed on the way
    notEncrypted,  ///< names no key, and we have some
    encrypted,     ///< names a key, and we have none
};

class Sealer {
  public:
    /// `session` is our own. Without keys nothing is encrypted, and only what is not encrypted is
    /// taken.
    Sealer(Keyring keys, const wire::Uuid& session);

    /// Keeps the counters of the keys that stay.
    void setKeys(Keyring keys);

    bool active() const { return !keys_.empty(); }
    /// Of the key that is sent with; 0 when there are none.
    std::uint16_t keyId() const { return keyId_; }

    /// Encrypts the body of `size - headerSize` bytes in place and writes the tag behind it, for
    /// which the caller has left `tagSize` bytes. The header is complete but for the key id, which
    /// is written here: the key may have changed since the header was made. Needs `active`.
    void seal(char* datagram, std::size_t size);

    /// `size`: of all that arrived, a whole header at least, its session not ours. When `ok`, the
    /// body is readable in place, and `size - headerSize - tagSize` bytes long if we are active. In
    /// all other cases nothing in the body may be used.
    Opened open(char* datagram, std::size_t size);

    struct Counter {
        std::uint16_t id = 0;
        KeyUse use = KeyUse::rx;
        std::uint64_t opened = 0;  ///< datagrams, since this key is here

        bool operator==(const Counter&) const = default;
    };
    /// One per key, in the keyring's order.
    const std::vector<Counter>& counters() const { return counters_; }
    std::uint64_t forged() const { return forged_; }
    std::uint64_t unknownKey() const { return unknownKey_; }
    /// Subkeys kept now, at most `maxSubkeys`.
    std::size_t subkeys() const { return subkeys_.size(); }

  private:
    /// Of another host's session from which a datagram was opened: whoever has no key cannot make
    /// us keep one.
    struct Subkey {
        std::uint16_t id = 0;
        wire::Uuid session{};
        Secret secret;
        std::uint64_t used = 0;  ///< turns of `clock_`; the lowest gives way
    };

    Counter* counterOf(std::uint16_t id);
    Subkey* known(std::uint16_t id, const wire::Uuid& session);
    void keep(std::uint16_t id, const wire::Uuid& session, const Secret& secret);
    Opened openWith(Counter& counter, char* datagram, std::size_t size);

    Keyring keys_;
    wire::Uuid session_;
    std::uint16_t keyId_ = 0;
    Secret sending_;  ///< our own subkey of the key that is sent with
    std::vector<Counter> counters_;
    std::vector<Subkey> subkeys_;
    std::size_t recent_ = 0;  ///< where `known` looks first: datagrams of one sender come in a row
    std::uint64_t clock_ = 0;
    std::uint64_t forged_ = 0;
    std::uint64_t unknownKey_ = 0;
};

}  // namespace netcluster::daemon::link
