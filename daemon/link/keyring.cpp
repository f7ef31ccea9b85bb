#include "keyring.hpp"

#include <algorithm>
#include <cassert>
#include <netcluster/error.hpp>

#include "key_file.hpp"
#include "secret_file.hpp"

namespace netcluster::daemon::link {
namespace {

std::string keyNamed(std::uint16_t id) {
    return "key " + std::to_string(id);
}

// Of keys that came from a file, all at once; `add` keeps the same rules one by one.
std::string whyUnusable(std::span<const GroupKey> keys) {
    const auto sending = [](const GroupKey& key) { return key.use == KeyUse::tx; };
    for (auto key = keys.begin(); key != keys.end(); ++key) {
        for (auto former = keys.begin(); former != key; ++former) {
            if (former->id == key->id) return "two keys have the id " + std::to_string(key->id);
            if (former->secret == key->secret) {
                return keyNamed(former->id) + " and " + keyNamed(key->id) + " are the same key";
            }
        }
    }
    const auto count = std::count_if(keys.begin(), keys.end(), sending);
    if (count == 0) return "no key to send with: the \"use\" of one key must be \"tx\"";
    if (count > 1) return "more than one key to send with: only one may be \"tx\"";
    return {};
}

}  // namespace

std::string_view keyUseName(KeyUse use) {
    switch (use) {
        case KeyUse::tx:
            return "tx";
        case KeyUse::rx:
            return "rx";
    }
    return {};
}

Keyring Keyring::load(const std::string& path) {
    const SecretText text(config::readSecretFile(path, maxKeyFile));
    return parse(text.view(), path);
}

Keyring Keyring::parse(std::string_view text, const std::string& name) {
    Keyring ring;
    ring.keys_ = readKeyFile(text, name);
    if (const auto why = whyUnusable(ring.keys_); !why.empty()) throw Error(name + ": " + why);
    return ring;
}

void Keyring::save(const std::string& path) const {
    const SecretText text(keyFileText(keys_));
    config::replaceSecretFile(path, text.view());
}

const GroupKey* Keyring::find(std::uint16_t id) const {
    const auto found = std::find_if(keys_.begin(), keys_.end(),
                                    [id](const GroupKey& key) { return key.id == id; });
    return found == keys_.end() ? nullptr : &*found;
}

GroupKey& Keyring::demand(std::uint16_t id) {
    const auto found = std::find_if(keys_.begin(), keys_.end(),
                                    [id](const GroupKey& key) { return key.id == id; });
    if (found == keys_.end()) throw Error("there is no " + keyNamed(id));
    return *found;
}

const GroupKey& Keyring::sending() const {
    const auto found = std::find_if(keys_.begin(), keys_.end(),
                                    [](const GroupKey& key) { return key.use == KeyUse::tx; });
    assert(found != keys_.end());
    return *found;
}

void Keyring::add(std::uint16_t id, const Secret& secret) {
    if (id == 0) throw Error("the id of a key is 1 to 65535");
    if (keys_.size() == maxKeys) {
        throw Error("there are " + std::to_string(maxKeys) + " keys already: remove one first");
    }
    for (const GroupKey& key : keys_) {
        if (key.id == id) throw Error("there is a " + keyNamed(id) + " already");
        if (key.secret == secret) throw Error("this is " + keyNamed(key.id) + " already");
    }
    keys_.push_back({id, secret, keys_.empty() ? KeyUse::tx : KeyUse::rx});
}

void Keyring::use(std::uint16_t id) {
    GroupKey& chosen = demand(id);
    for (GroupKey& key : keys_) key.use = KeyUse::rx;
    chosen.use = KeyUse::tx;
}

void Keyring::remove(std::uint16_t id) {
    if (demand(id).use == KeyUse::tx) {
        throw Error(keyNamed(id) + " is sent with: use another one first");
    }
    std::erase_if(keys_, [id](const GroupKey& key) { return key.id == id; });
}

}  // namespace netcluster::daemon::link
