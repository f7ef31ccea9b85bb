#include "sealer.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "little_endian.hpp"

namespace netcluster::daemon::link {
namespace {

static_assert(Secret::size == crypto_aead_chacha20poly1305_IETF_KEYBYTES);
static_assert(Secret::size == crypto_generichash_KEYBYTES);
static_assert(tagSize == crypto_aead_chacha20poly1305_IETF_ABYTES);

// Says what the subkey is for, so that the same group key used elsewhere gives other ones.
constexpr std::string_view context = "netcluster link 2";

using SealNonce = std::array<unsigned char, crypto_aead_chacha20poly1305_IETF_NPUBBYTES>;

unsigned char* bytes(char* text) {
    return reinterpret_cast<unsigned char*>(text);
}

Secret derive(const Secret& groupKey, const wire::Uuid& session) {
    std::array<unsigned char, context.size() + std::tuple_size_v<wire::Uuid>> input;
    std::copy(session.begin(), session.end(),
              std::copy(context.begin(), context.end(), input.begin()));
    Secret subkey;
    crypto_generichash(subkey.data(), Secret::size, input.data(), input.size(), groupKey.data(),
                       Secret::size);
    return subkey;
}

// The packet number as it stands in the header, after four zero bytes.
SealNonce nonceOf(const char* datagram) {
    SealNonce nonce{};
    std::memcpy(nonce.data() + 4, datagram + packetOffset, 8);
    return nonce;
}

wire::Uuid sessionOf(const char* datagram) {
    wire::Uuid session;
    std::memcpy(session.data(), datagram + sessionOffset, session.size());
    return session;
}

bool decrypt(const Secret& subkey, char* datagram, std::size_t size) {
    char* const body = datagram + headerSize;
    const std::size_t bodySize = size - headerSize - tagSize;
    const SealNonce nonce = nonceOf(datagram);
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               bytes(body), nullptr, bytes(body), bodySize, bytes(body + bodySize), bytes(datagram),
               headerSize, nonce.data(), subkey.data()) == 0;
}

}  // namespace

Sealer::Sealer(Keyring keys, const wire::Uuid& session) : session_(session) {
    prepareSodium();
    subkeys_.reserve(maxSubkeys);
    setKeys(std::move(keys));
}

void Sealer::setKeys(Keyring keys) {
    std::vector<Counter> counters;
    for (const GroupKey& key : keys.keys()) {
        const GroupKey* former = keys_.find(key.id);
        const bool stays = former != nullptr && former->secret == key.secret;
        counters.push_back({key.id, key.use, stays ? counterOf(key.id)->opened : 0});
    }
    counters_ = std::move(counters);
    keys_ = std::move(keys);
    subkeys_.clear();
    keyId_ = active() ? keys_.sending().id : std::uint16_t{0};
    sending_ = active() ? derive(keys_.sending().secret, session_) : Secret();
}

void Sealer::seal(char* datagram, std::size_t size) {
    assert(active() && size >= headerSize && sessionOf(datagram) == session_);
    wire::storeLittle(datagram + keyIdOffset, keyId_);
    char* const body = datagram + headerSize;
    const std::size_t bodySize = size - headerSize;
    const SealNonce nonce = nonceOf(datagram);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        bytes(body), bytes(body + bodySize), nullptr, bytes(body), bodySize, bytes(datagram),
        headerSize, nullptr, nonce.data(), sending_.data());
}

Opened Sealer::open(char* datagram, std::size_t size) {
    assert(size >= headerSize);
    const auto id = wire::loadLittle<std::uint16_t>(datagram + keyIdOffset);
    if (!active()) return id == 0 ? Opened::ok : Opened::encrypted;
    if (id == 0) return Opened::notEncrypted;
    Counter* const counter = counterOf(id);
    if (counter == nullptr) {
        ++unknownKey_;
        return Opened::unknownKey;
    }
    const Opened opened = openWith(*counter, datagram, size);
    ++(opened == Opened::ok ? counter->opened : forged_);
    return opened;
}

Opened Sealer::openWith(Counter& counter, char* datagram, std::size_t size) {
    if (size < headerSize + tagSize) return Opened::forged;
    const wire::Uuid session = sessionOf(datagram);
    if (Subkey* const subkey = known(counter.id, session)) {
        if (!decrypt(subkey->secret, datagram, size)) return Opened::forged;
        subkey->used = ++clock_;
        return Opened::ok;
    }
    const Secret subkey = derive(keys_.find(counter.id)->secret, session);
    if (!decrypt(subkey, datagram, size)) return Opened::forged;
    keep(counter.id, session, subkey);
    return Opened::ok;
}

Sealer::Counter* Sealer::counterOf(std::uint16_t id) {
    const auto found = std::find_if(counters_.begin(), counters_.end(),
                                    [id](const Counter& counter) { return counter.id == id; });
    return found == counters_.end() ? nullptr : &*found;
}

Sealer::Subkey* Sealer::known(std::uint16_t id, const wire::Uuid& session) {
    const auto wanted = [&](const Subkey& subkey) {
        return subkey.session == session && subkey.id == id;
    };
    if (recent_ < subkeys_.size() && wanted(subkeys_[recent_])) return &subkeys_[recent_];
    const auto found = std::find_if(subkeys_.begin(), subkeys_.end(), wanted);
    if (found == subkeys_.end()) return nullptr;
    recent_ = static_cast<std::size_t>(found - subkeys_.begin());
    return &*found;
}

void Sealer::keep(std::uint16_t id, const wire::Uuid& session, const Secret& secret) {
    Subkey subkey{id, session, secret, ++clock_};
    if (subkeys_.size() < maxSubkeys) {
        subkeys_.push_back(std::move(subkey));
        return;
    }
    const auto oldest = std::min_element(
        subkeys_.begin(), subkeys_.end(),
        [](const Subkey& one, const Subkey& other) { return one.used < other.used; });
    *oldest = std::move(subkey);
}

}  // namespace netcluster::daemon::link
