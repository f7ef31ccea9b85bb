#include "target.hpp"

#include <algorithm>

namespace netcluster {
namespace {

constexpr std::size_t maxWord = 128;
constexpr std::string_view operators = "|,:&!()=*";

bool isBlank(char c) {
    return c == ' ' || c == '\t';
}

bool isWordByte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F && operators.find(c) == std::string_view::npos;
}

}  // namespace

bool validTagWord(std::string_view word) {
    return !word.empty() && word.size() <= maxWord &&
           std::all_of(word.begin(), word.end(), isWordByte);
}

bool isReservedTag(std::string_view key) {
    return key == "node" || key == "host" || key == "region" || key == "service" || key == "client";
}

// One function for each rule of the grammar; each leaves its steps in order.
class TargetReader {
  public:
    explicit TargetReader(std::string_view text) : text_(text) {}

    Target::Compiled read() {
        if (text_.size() > Target::maxLength) {
            return {{}, "longer than " + std::to_string(Target::maxLength) + " bytes"};
        }
        if (either(0) && at_ != text_.size()) fail("unexpected");
        if (!error_.empty()) return {{}, error_};
        return {std::move(target_), {}};
    }

  private:
    using Kind = Target::Kind;

    bool either(int depth) {
        if (!both(depth)) return false;
        while (next("|,:")) {
            if (!both(depth)) return false;
            target_.steps_.push_back({Kind::either});
        }
        return true;
    }

    bool both(int depth) {
        if (!term(depth)) return false;
        while (next("&")) {
            if (!term(depth)) return false;
            target_.steps_.push_back({Kind::both});
        }
        return true;
    }

    bool term(int depth) {
        if (depth > Target::maxDepth) return fail("nested too deep");
        if (next("!")) {
            if (!term(depth + 1)) return false;
            target_.steps_.push_back({Kind::not_});
            return true;
        }
        if (next("(")) return either(depth + 1) && (next(")") || fail("a \")\" is missing"));
        if (next("*")) {
            target_.steps_.push_back({Kind::all});
            return true;
        }
        return nameOrTag();
    }

    bool nameOrTag() {
        const std::string_view first = word();
        if (first.empty()) return fail("a name is missing");
        if (!next("=")) {
            target_.steps_.push_back({Kind::name, std::string(first)});
            return true;
        }
        const std::string_view value = word();
        if (value.empty()) return fail("a value is missing");
        target_.steps_.push_back({Kind::tag, std::string(first), std::string(value)});
        return true;
    }

    // One of these characters, which is then behind us.
    bool next(std::string_view wanted) {
        skipBlanks();
        if (at_ == text_.size() || wanted.find(text_[at_]) == std::string_view::npos) return false;
        ++at_;
        return true;
    }

    std::string_view word() {
        skipBlanks();
        const std::size_t from = at_;
        while (at_ < text_.size() && isWordByte(text_[at_])) ++at_;
        const std::string_view found = text_.substr(from, at_ - from);
        if (found.size() <= maxWord) return found;
        fail("a name of more than " + std::to_string(maxWord) + " bytes");
        return {};
    }

    void skipBlanks() {
        while (at_ < text_.size() && isBlank(text_[at_])) ++at_;
    }

    bool fail(const std::string& what) {
        if (error_.empty()) error_ = what + " at byte " + std::to_string(at_ + 1);
        return false;
    }

    const std::string_view text_;
    std::size_t at_ = 0;
    Target target_;
    std::string error_;
};

Target::Compiled Target::compile(std::string_view text) {
    return TargetReader(text).read();
}

bool Target::matches(const Tagged& node) const {
    std::vector<bool> values;
    values.reserve(steps_.size());
    const auto pop = [&values] {
        const bool value = values.back();
        values.pop_back();
        return value;
    };
    for (const Step& step : steps_) {
        switch (step.kind) {
            case Kind::name:
                values.push_back(node.isNamed(step.key));
                break;
            case Kind::tag:
                values.push_back(node.hasTag(step.key, step.value));
                break;
            case Kind::all:
                values.push_back(true);
                break;
            case Kind::both: {
                const bool second = pop();
                values.back() = values.back() && second;
                break;
            }
            case Kind::either: {
                const bool second = pop();
                values.back() = values.back() || second;
                break;
            }
            case Kind::not_:
                values.back() = !values.back();
                break;
        }
    }
    return values.back();
}

bool Target::mentions(std::string_view key) const {
    return !valuesOf(key).empty();
}

std::vector<std::string> Target::valuesOf(std::string_view key) const {
    std::vector<std::string> values;
    for (const Step& step : steps_) {
        if (step.kind == Kind::tag && step.key == key) values.push_back(step.value);
    }
    return values;
}

bool Target::isListOf(std::string_view key) const {
    return std::all_of(steps_.begin(), steps_.end(), [&](const Step& step) {
        return step.kind == Kind::either || (step.kind == Kind::tag && step.key == key);
    });
}

std::vector<std::string> Target::names() const {
    std::vector<std::string> names;
    for (const Step& step : steps_) {
        if (step.kind == Kind::name) {
            names.push_back(step.key);
        } else if (step.kind != Kind::either) {
            return {};
        }
    }
    return names;
}

}  // namespace netcluster
