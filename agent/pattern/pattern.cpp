#include "pattern.hpp"

#include <re2/re2.h>

#include <optional>

namespace netcluster {
namespace {

// Bounds the compiled program and the lazily built automaton of one pattern.
constexpr std::int64_t maxMemory = std::int64_t{1} << 20;

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

bool isSpecial(char c) {
    return std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos;
}

// The one name a pattern without an operator matches. Letters beyond ASCII are left to RE2, which
// looks whether they are UTF-8.
std::optional<std::string> literalName(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escapes = text[i] == '\\' && i + 1 < text.size() && isSpecial(text[i + 1]);
        if (escapes) ++i;
        if (static_cast<unsigned char>(text[i]) >= 0x80) return {};
        if (!escapes && isSpecial(text[i])) return {};
        name += text[i];
    }
    return name;
}

}  // namespace

Pattern::Pattern(std::string text, Anchor anchor, std::string name, std::unique_ptr<re2::RE2> regex)
    : text_(std::move(text)), anchor_(anchor), name_(std::move(name)), regex_(std::move(regex)) {}
Pattern::~Pattern() = default;

Pattern::Compiled Pattern::compile(std::string_view text, Anchor anchor) {
    if (text.size() > maxLength) {
        return {nullptr, "longer than " + std::to_string(maxLength) + " bytes", {}};
    }
    std::unique_ptr<re2::RE2> regex;
    std::optional<std::string> name = literalName(text);
    if (anchor == Anchor::anywhere || !name) {
        name.emplace();
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(maxMemory);
        options.set_dot_nl(true);  // `.*` is every name, also one with a line break
        options.set_never_capture(true);
        regex = std::make_unique<re2::RE2>(piece(text), options);
        if (!regex->ok()) return {nullptr, regex->error(), regex->error_arg()};
    }
    Compiled compiled;
    compiled.pattern.reset(
        new Pattern(std::string(text), anchor, *std::move(name), std::move(regex)));
    return compiled;
}

bool Pattern::matches(std::string_view name) const {
    if (!regex_) return name == name_;
    return anchor_ == Anchor::whole ? re2::RE2::FullMatch(piece(name), *regex_)
                                    : re2::RE2::PartialMatch(piece(name), *regex_);
}

}  // namespace netcluster
