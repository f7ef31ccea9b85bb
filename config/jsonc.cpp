#include "jsonc.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "jsonc_scanner.hpp"
#include "spelling.hpp"

namespace netcluster::config {
namespace {

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

// Takes the digits at the front; false when there are none.
bool takeDigits(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), isDigit);
    const auto count = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(count);
    return count > 0;
}

bool takeOneOf(std::string_view& text, std::string_view bytes) {
    if (text.empty() || bytes.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// RFC 8259, section 6.
bool spelledAsNumber(std::string_view text) {
    takeOneOf(text, "-");
    if (!takeOneOf(text, "0") && !takeDigits(text)) return false;
    if (takeOneOf(text, ".") && !takeDigits(text)) return false;
    if (takeOneOf(text, "eE")) {
        takeOneOf(text, "+-");
        if (!takeDigits(text)) return false;
    }
    return text.empty();
}

std::string unclosed(char bracket, Place opened) {
    return std::string("the text ends here, and the '") + bracket + "' of line " +
           std::to_string(opened.line) + " is not closed";
}

// Each function that reads something returns false when the text cannot be followed any further.
class Reader {
  public:
    Reader(std::string_view text, Report& report) : scan_(text, report) {}

    std::optional<Node> document() {
        Node root;
        if (!scan_.skipBlanks() || !value(root) || !scan_.skipBlanks()) return std::nullopt;
        if (!scan_.ended()) scan_.wrong("expected the end of the text, found " + scan_.here());
        return root;
    }

  private:
    using Seen = std::unordered_map<std::string, Place>;

    bool value(Node& into);
    bool object(Node& into);
    bool member(Node::Object& members, Seen& seen);
    bool isNewKey(const std::optional<std::string>& key, Place where, Seen& seen);
    bool list(Node& into);
    bool nextOrEnd(char bracket, Place opened);
    bool deeper();
    void word(Node& into);
    void number(Node& into, std::string_view word);

    Scanner scan_;
    int depth_ = 0;
};

bool Reader::value(Node& into) {
    into.place = scan_.place();
    if (scan_.peek() == '{') return object(into);
    if (scan_.peek() == '[') return list(into);
    if (scan_.peek() == '"') {
        std::optional<std::string> text;
        if (!scan_.string(text)) return false;
        if (text) into.value = std::move(*text);
        return true;
    }
    if (!scan_.atWord()) return scan_.stop("expected a value, found " + scan_.here());
    word(into);
    return true;
}

bool Reader::deeper() {
    if (depth_ == maxDepth) {
        return scan_.stop("nested deeper than " + std::to_string(maxDepth) + " levels");
    }
    ++depth_;
    scan_.advance();
    return true;
}

bool Reader::object(Node& into) {
    const Place opened = into.place;
    if (!deeper()) return false;
    auto& members = into.value.emplace<Node::Object>();
    Seen seen;
    for (;;) {
        if (!scan_.skipBlanks()) return false;
        if (scan_.peek() == '}') break;
        if (scan_.ended()) return scan_.stop(unclosed('{', opened));
        if (scan_.peek() != '"') {
            return scan_.stop("expected a key in double quotes, or '}', found " + scan_.here());
        }
        if (!member(members, seen) || !nextOrEnd('}', opened)) return false;
    }
    scan_.advance();
    --depth_;
    return true;
}

bool Reader::member(Node::Object& members, Seen& seen) {
    const Place where = scan_.place();
    std::optional<std::string> key;
    if (!scan_.string(key) || !scan_.skipBlanks()) return false;
    if (scan_.peek() != ':') return scan_.stop("expected ':' after the key, found " + scan_.here());
    scan_.advance();

    const std::size_t outer = scan_.enter(pointerStep(key.value_or("")));
    const bool isNew = isNewKey(key, where, seen);
    Node value;
    if (!scan_.skipBlanks() || !this->value(value)) return false;
    scan_.leave(outer);
    if (isNew) members.push_back({std::move(*key), where, std::move(value)});
    return true;
}

// A key that stands twice is told at its second place; the first one counts for further checks.
bool Reader::isNewKey(const std::optional<std::string>& key, Place where, Seen& seen) {
    if (!key) return false;
    const auto [first, isNew] = seen.try_emplace(*key, where);
    if (!isNew) {
        scan_.wrong(where,
                    "duplicate key; the first is in line " + std::to_string(first->second.line));
    }
    return isNew;
}

bool Reader::list(Node& into) {
    const Place opened = into.place;
    if (!deeper()) return false;
    auto& items = into.value.emplace<Node::List>();
    for (;;) {
        if (!scan_.skipBlanks()) return false;
        if (scan_.peek() == ']') break;
        if (scan_.ended()) return scan_.stop(unclosed('[', opened));
        const std::size_t outer = scan_.enter('/' + std::to_string(items.size()));
        if (!value(items.emplace_back())) return false;
        scan_.leave(outer);
        if (!nextOrEnd(']', opened)) return false;
    }
    scan_.advance();
    --depth_;
    return true;
}

// After an item: a comma, or the bracket that ends it all (which is left standing).
bool Reader::nextOrEnd(char bracket, Place opened) {
    if (!scan_.skipBlanks()) return false;
    if (scan_.peek() == ',') {
        scan_.advance();
        return true;
    }
    if (scan_.peek() == bracket) return true;
    if (scan_.ended()) return scan_.stop(unclosed(bracket == '}' ? '{' : '[', opened));
    return scan_.stop(std::string("expected ',' or '") + bracket + "', found " + scan_.here());
}

void Reader::word(Node& into) {
    const std::string_view word = scan_.word();
    if (word == "true" || word == "false") {
        into.value = word == "true";
    } else if (word == "null") {
        into.value = nullptr;
    } else if (spelledAsNumber(word)) {
        number(into, word);
    } else {
        scan_.wrong(into.place, inQuotes(word) + " is no JSON value; text needs double quotes");
    }
}

void Reader::number(Node& into, std::string_view word) {
    double value = 0;
    const auto outcome = std::from_chars(word.data(), word.data() + word.size(), value);
    if (outcome.ec == std::errc{}) {
        into.value = value;
    } else {
        scan_.wrong(into.place, "the number " + inQuotes(word) + " is too large or too small");
    }
}

}  // namespace

const Member* Node::find(std::string_view key) const {
    const auto* members = as<Object>();
    if (members == nullptr) return nullptr;
    const auto found = std::find_if(members->begin(), members->end(),
                                    [&](const Member& member) { return member.key == key; });
    return found == members->end() ? nullptr : &*found;
}

std::optional<Node> readJsonc(std::string_view text, Report& report) {
    return Reader(text, report).document();
}

}  // namespace netcluster::config
