// A listener's pattern: a regular expression in RE2 syntax that must match the whole event name.
// Immutable once made, so any thread may match with it. RE2 runs in time linear in the name, so a
// hostile pattern costs memory up to a bound, never time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace netcluster {

class Pattern {
  public:
    /// Longest pattern taken. Reason: real ones are under 200 bytes; longer ones are programs.
    static constexpr std::size_t maxLength = 1024;

    struct Compiled {
        std::shared_ptr<const Pattern> pattern;  ///< null when it does not compile
        std::string error;                       ///< then: why, in RE2's words
        std::string faulty;                      ///< and the part of the text RE2 points at
    };
    /// How a regular expression is applied: to the whole text, or anywhere in it.
    enum class Anchor { whole, anywhere };
    static Compiled compile(std::string_view text, Anchor anchor = Anchor::whole);

    ~Pattern();
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    bool matches(std::string_view name) const;
    const std::string& text() const { return text_; }
    /// True when the pattern names exactly one event: it has no special characters, or only escaped
    /// ones (`log\.start`). Such a pattern costs a comparison and no automaton.
    bool isLiteral() const { return regex_ == nullptr; }

  private:
    Pattern(std::string text, Anchor anchor, std::string name, std::unique_ptr<re2::RE2> regex);

    std::string text_;
    Anchor anchor_;
    std::string name_;                 // of a literal
    std::unique_ptr<re2::RE2> regex_;  // null for a literal
};

}  // namespace netcluster
