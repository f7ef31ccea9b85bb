// Whom an event or a task is for: an expression over what nodes say of themselves.
//
//     web-1                      the node, or the region, of that name
//     web-1:db:cache             any of these (Gleam's form); "," and "|" mean the same
//     region=eu & !service=smtp  tags: node, region, host, service, else a key of the node's info
//     (eu | us) & disk=ssd       brackets; "&" binds closer than "|", "!" closest
//     *                          every node
//
// Immutable once made; any thread may match with it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace netcluster {

/// What is asked of a node while it is matched.
class Tagged {
  public:
    virtual ~Tagged() = default;
    /// It has that id, or belongs to that region.
    virtual bool isNamed(std::string_view name) const = 0;
    virtual bool hasTag(std::string_view key, std::string_view value) const = 0;
};

class Target {
  public:
    /// Longest expression taken. Reason: it travels as "to" of an event, which holds as much.
    static constexpr std::size_t maxLength = 1024;
    /// Brackets and "!" within one another. Reason: far more than anybody writes, and no stack is
    /// needed to read them.
    static constexpr int maxDepth = 32;

    struct Compiled;
    static Compiled compile(std::string_view text);

    bool matches(const Tagged& node) const;
    /// The names it consists of when it is a list of names alone (`a`, `a:b`): whom to expect an
    /// answer from although nobody knows them. Empty otherwise.
    std::vector<std::string> names() const;
    /// A tag of that key decides something.
    bool mentions(std::string_view key) const;
    /// The values of the tags of that key, wherever they stand.
    std::vector<std::string> valuesOf(std::string_view key) const;
    /// It consists of tags of that key alone, any of which will do (`a=1 | a=2`).
    bool isListOf(std::string_view key) const;

    /// What it comes to in sets: `operands` gives those that are `named(name)`, `tagged(key,
    /// value)`, and `all()`; sets know `&=`, `|=` and `flip()`.
    template <typename Operands>
    auto evaluate(Operands& operands) const {
        std::vector<decltype(operands.all())> sets;
        for (const Step& step : steps_) {
            switch (step.kind) {
                case Kind::name:
                    sets.push_back(operands.named(step.key));
                    break;
                case Kind::tag:
                    sets.push_back(operands.tagged(step.key, step.value));
                    break;
                case Kind::all:
                    sets.push_back(operands.all());
                    break;
                case Kind::both:
                    sets[sets.size() - 2] &= sets.back();
                    sets.pop_back();
                    break;
                case Kind::either:
                    sets[sets.size() - 2] |= sets.back();
                    sets.pop_back();
                    break;
                case Kind::not_:
                    sets.back().flip();
                    break;
            }
        }
        return std::move(sets.back());
    }

  private:
    friend class TargetReader;
    enum class Kind : std::uint8_t { name, tag, all, both, either, not_ };
    struct Step {
        Kind kind;
        std::string key{};    // of a tag; or the name
        std::string value{};  // of a tag
    };
    std::vector<Step> steps_;  // operands before their operator
};

struct Target::Compiled {
    std::optional<Target> target;
    std::string error;  ///< then: what is wrong, and at which byte, from 1
};

/// What a node id, a region, a tag's key or value may be: 1 to 128 bytes of UTF-8 without blanks,
/// control characters and the characters that mean something above (`| , : & ! ( ) = *`).
bool validTagWord(std::string_view word);
/// A key that says something else than `info` in a target, whatever that says.
bool isReservedTag(std::string_view key);

}  // namespace netcluster
