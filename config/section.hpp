// Reads an object by a table of keys: the document and each channel go through here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "keys.hpp"
#include "spelling.hpp"

namespace netcluster::config {

/// Tells of a key that no table row has. `elsewhere` are the keys of the other kind of object, and
/// `there` says where that is ("inside a channel").
void reportUnknownKey(const Member& member, const Value& object,
                      std::span<const std::string_view> known,
                      std::span<const std::string_view> elsewhere, std::string_view there);

template <class Section>
const Key<Section>* findKey(std::span<const Key<Section>> keys, std::string_view name) {
    for (const auto& key : keys) {
        if (key.name == name) return &key;
    }
    return nullptr;
}

/// Reads each member that has a row; what `unknown` does with the others is the caller's.
template <class Section, class Unknown>
void readSection(const Value& object, const Node::Object& members,
                 std::span<const Key<Section>> keys, Section& into, Unknown unknown) {
    for (const auto& member : members) {
        const Value value{member.value, object.pointer + pointerStep(member.key), object.report};
        if (const auto* key = findKey(keys, member.key)) {
            key->read(value, into);
        } else {
            unknown(member);
        }
    }
}

}  // namespace netcluster::config
