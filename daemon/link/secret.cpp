#include "secret.hpp"

#include <sodium.h>

#include <algorithm>
#include <netcluster/error.hpp>

namespace netcluster::daemon::link {

void prepareSodium() {
    static const bool ready = sodium_init() >= 0;
    if (!ready) throw Error("libsodium cannot be initialised");
}

Secret::~Secret() {
    sodium_memzero(bytes_.data(), bytes_.size());
}

Secret Secret::random() {
    prepareSodium();
    Secret secret;
    randombytes_buf(secret.data(), size);
    return secret;
}

Secret Secret::fromText(std::string_view base64) {
    if (base64.size() != textSize) {
        throw Error("is " + std::to_string(base64.size()) +
                    " characters long; 32 bytes are 44 characters of base64");
    }
    // Without its padding, as many characters would be a byte more.
    unsigned char bytes[size + 1];
    std::size_t count = 0;
    const bool decoded =
        sodium_base642bin(bytes, sizeof bytes, base64.data(), base64.size(), nullptr, &count,
                          nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
    Secret secret;
    if (decoded && count == size) std::copy(bytes, bytes + size, secret.data());
    sodium_memzero(bytes, sizeof bytes);
    if (!decoded) throw Error("is no base64");
    if (count != size) throw Error("is " + std::to_string(count) + " bytes long, not 32");
    return secret;
}

bool Secret::operator==(const Secret& other) const {
    return sodium_memcmp(bytes_.data(), other.bytes_.data(), size) == 0;
}

SecretText::~SecretText() {
    sodium_memzero(text_.data(), text_.size());
}

}  // namespace netcluster::daemon::link
