// The group keys of the link: a value. One of them is sent with ("tx"), all are received with, so
// that hosts can go from one key to the next at different moments (docs/security.md). No keys at
// all: nothing is encrypted. Pure but for `load` and `save`. Secrets are wiped when they are
// dropped, and stand in no message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "secret.hpp"

namespace netcluster::daemon::link {

enum class KeyUse : std::uint8_t {
    tx,  ///< send with it; receive with it too
    rx,  ///< only receive with it
};
std::string_view keyUseName(KeyUse use);

struct GroupKey {
    std::uint16_t id = 0;  ///< what datagrams call it; 1 to 65535, since 0 says "not encrypted"
    Secret secret;
    KeyUse use = KeyUse::rx;

    bool operator==(const GroupKey&) const = default;
};

/// Most keys at once. Reason: a change of keys needs two, a careless operator a few more.
inline constexpr std::size_t maxKeys = 8;
/// Largest key file: 8 keys have 800 bytes, the rest is room for comments.
inline constexpr std::size_t maxKeyFile = std::size_t{64} << 10;

class Keyring {
  public:
    /// No keys.
    Keyring() = default;

    /// Reads a key file. Throws Error naming the file, the line and what is wrong: permissions, the
    /// text, the same id or key twice, no key to send with or two.
    static Keyring load(const std::string& path);
    /// `name` is used in errors alone.
    static Keyring parse(std::string_view text, const std::string& name);
    /// Replaces the file, mode 0600, whole or not at all; comments in it are gone then. Throws
    /// Error naming the file.
    void save(const std::string& path) const;

    /// 32 random bytes.
    static Secret makeKey() { return Secret::random(); }

    bool empty() const { return keys_.empty(); }
    std::span<const GroupKey> keys() const { return keys_; }
    /// Null when there is none of this id.
    const GroupKey* find(std::uint16_t id) const;
    /// The one that is sent with. There must be keys.
    const GroupKey& sending() const;

    /// Adds a key to receive with; the first one of all is sent with as well. Throws Error when the
    /// id or the key is there already, the id is 0, or there are 8 keys.
    void add(std::uint16_t id, const Secret& secret);
    /// Sends with this key from now on, and goes on receiving with the former. Throws Error when
    /// there is no such key.
    void use(std::uint16_t id);
    /// Throws Error when there is no such key, or when it is the one that is sent with.
    void remove(std::uint16_t id);

    bool operator==(const Keyring&) const = default;

  private:
    GroupKey& demand(std::uint16_t id);

    std::vector<GroupKey> keys_;  ///< empty, or exactly one of them `tx`
};

}  // namespace netcluster::daemon::link
