// Event name -> a value, made for being asked often, about short names. One thread. A value stays
// where it is until the table goes.
//
// A flat table with linear probing, at most half full. Names are told apart by words of eight
// bytes, the last of which overlaps the one before, as wyhash reads its input (Wang Yi, public
// domain); the two words of a name of up to 16 bytes are all of it. They are mixed by
// multiplication with the golden ratio (Knuth, volume 3, 6.4). Names may come from other hosts: one
// who makes them collide makes a look-up as long as the table, which its owner bounds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "little_endian.hpp"

namespace netcluster {

template <typename Value>
class NameTable {
  public:
    /// Null when the name is not there.
    Value* find(std::string_view name) const {
        const Key key = keyOf(name);
        for (std::size_t at = start(key);; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.key == key && (key.isAll() || slot.entry->name == name)) {
                return &slot.entry->value;
            }
            if (!slot.entry) return nullptr;
        }
    }

    /// The name must not be there.
    Value& add(std::string_view name, Value value) {
        if (2 * (entries_.size() + 1) > slots_.size()) grow();
        entries_.push_back(std::make_unique<Entry>(Entry{std::string(name), std::move(value)}));
        place({keyOf(name), entries_.back().get()});
        return entries_.back()->value;
    }

    std::size_t size() const { return entries_.size(); }

  private:
    struct Key {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::size_t size = std::string_view::npos;  // of the name

        bool operator==(const Key&) const = default;
        bool isAll() const { return size <= 16; }
    };
    struct Entry {
        std::string name;
        Value value;
    };
    struct Slot {
        Key key;
        Entry* entry = nullptr;
    };

    static std::uint64_t mix(std::uint64_t value) { return value * 0x9E3779B97F4A7C15u; }

    static Key keyOf(std::string_view name) {
        const char* const begin = name.data();
        const char* const end = begin + name.size();
        Key key{0, 0, name.size()};
        if (key.size >= 8) {
            key.first = wire::loadLittle<std::uint64_t>(begin);
            key.last = wire::loadLittle<std::uint64_t>(end - 8);
            for (const char* at = begin + 8; at + 8 < end; at += 8) {
                key.first = mix(key.first ^ key.first >> 32) ^ wire::loadLittle<std::uint64_t>(at);
            }
        } else if (key.size >= 4) {
            key.first = wire::loadLittle<std::uint32_t>(begin);
            key.last = wire::loadLittle<std::uint32_t>(end - 4);
        } else {
            for (const char c : name) key.last = key.last << 8 | static_cast<unsigned char>(c);
        }
        return key;
    }

    // The upper bits of a product depend on all bits of its factors.
    std::size_t start(const Key& key) const { return mix(mix(key.first) ^ key.last) >> shift_; }

    void place(const Slot& slot) {
        std::size_t at = start(slot.key);
        while (slots_[at].entry) at = (at + 1) & mask_;
        slots_[at] = slot;
    }

    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        mask_ = slots_.size() - 1;
        --shift_;
        for (const Slot& slot : old) {
            if (slot.entry) place(slot);
        }
    }

    // The number of slots is a power of two; 64 - shift_ is its exponent.
    unsigned shift_ = 60;
    std::size_t mask_ = 15;
    std::vector<Slot> slots_ = std::vector<Slot>(16);
    std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace netcluster
