// Lua's patterns (reference manual, 6.4.1), matched with a price for each step. Lua's own matcher
// has none, and takes longer than anybody waits for `(".-"):rep(9) .. "b"` on a text of a few
// thousand bytes, within one call that no hook can end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "machine.hpp"

namespace netcluster::lua {

class Matcher {
  public:
    /// What a pair of parentheses has matched.
    struct Capture {
        const char* begin = nullptr;
        std::ptrdiff_t size = 0;  ///< or one of the following
    };
    static constexpr std::ptrdiff_t unfinished = -1;
    static constexpr std::ptrdiff_t position = -2;

    /// Both texts must be Lua's, on its stack as long as this is used. `pattern` without `^`.
    Matcher(lua_State* state, std::string_view text, std::string_view pattern)
        : state_(state),
          begin_(text.data()),
          end_(text.data() + text.size()),
          pattern_(pattern.data()),
          patternEnd_(pattern.data() + pattern.size()) {}

    /// Where the match that begins at `from` ends; null when there is none. Raises an error of Lua
    /// when the pattern is none, or a limit is reached.
    const char* matchAt(const char* from);

    /// Pushes what was captured, or the whole match (`from` to `to`) if there are no captures and
    /// it is wanted (`whole`: else nothing). Returns how many values.
    int pushCaptures(const char* from, const char* to, bool whole = true);
    /// The capture of that number, from 0; 0 is the whole match when there are none.
    void pushCapture(int number, const char* from, const char* to);

  private:
    const char* match(const char* text, const char* pattern);
    const char* startCapture(const char* text, const char* pattern, std::ptrdiff_t kind);
    const char* endCapture(const char* text, const char* pattern);
    const char* expandMost(const char* text, const char* pattern, const char* classEnd);
    const char* expandLeast(const char* text, const char* pattern, const char* classEnd);
    const char* balanced(const char* text, const char* pattern);
    const char* repeated(const char* text, char number);
    const char* frontier(const char* text, const char* pattern);
    const char* endOfClass(const char* pattern);
    bool single(const char* text, const char* pattern, const char* classEnd);
    bool inSet(char what, const char* set, const char* closing);
    /// Only where it is in the pattern; else NUL, which is no part of any construct.
    char at(const char* place) const { return place < patternEnd_ ? *place : '\0'; }
    void pay(std::uint64_t steps);

    lua_State* state_;
    const char *begin_, *end_, *pattern_, *patternEnd_;
    std::array<Capture, 32> captures_{};
    int count_ = 0;
    int depth_ = 0;
    std::uint64_t owed_ = 0;
};

}  // namespace netcluster::lua
