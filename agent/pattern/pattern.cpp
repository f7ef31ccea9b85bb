#include "pattern.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace netcluster {
namespace {

// Bounds the compiled program and the lazily built automaton of one pattern.
constexpr std::int64_t maxMemory = std::int64_t{1} << 20;

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

// Letters beyond ASCII count as special, so that RE2 looks whether they are UTF-8.
bool hasSpecial(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x80 ||
               std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos;
    });
}

}  // namespace

Pattern::Pattern(std::string text, Anchor anchor, std::unique_ptr<re2::RE2> regex)
    : text_(std::move(text)), anchor_(anchor), regex_(std::move(regex)) {}
Pattern::~Pattern() = default;

Pattern::Compiled Pattern::compile(std::string_view text, Anchor anchor) {
    if (text.size() > maxLength) {
        return {nullptr, "longer than " + std::to_string(maxLength) + " bytes", {}};
    }
    std::unique_ptr<re2::RE2> regex;
    if (anchor == Anchor::anywhere || hasSpecial(text)) {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(maxMemory);
        options.set_dot_nl(true);  // `.*` is every name, also one with a line break
        options.set_never_capture(true);
        regex = std::make_unique<re2::RE2>(piece(text), options);
        if (!regex->ok()) return {nullptr, regex->error(), regex->error_arg()};
    }
    Compiled compiled;
    compiled.pattern.reset(new Pattern(std::string(text), anchor, std::move(regex)));
    return compiled;
}

bool Pattern::matches(std::string_view name) const {
    if (!regex_) return name == text_;
    return anchor_ == Anchor::whole ? re2::RE2::FullMatch(piece(name), *regex_)
                                    : re2::RE2::PartialMatch(piece(name), *regex_);
}

}  // namespace netcluster
