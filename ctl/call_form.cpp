#include "call_form.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace netcluster::ctl {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool isBlank(char c) {
    return blanks.find(c) != std::string_view::npos;
}
bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Walks over one line; what does not fit is thrown and becomes Line::error in splitLine.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool atEnd() const { return position_ == text_.size(); }
    char peek() const { return text_[position_]; }
    char next() { return text_[position_++]; }
    std::size_t position() const { return position_; }

    void skipBlanks() {
        while (!atEnd() && isBlank(peek())) ++position_;
    }
    bool skip(char expected) {
        if (atEnd() || peek() != expected) return false;
        ++position_;
        return true;
    }

    std::string_view letters() {
        const auto begin = position_;
        while (!atEnd() && isLetter(peek())) ++position_;
        return text_.substr(begin, position_ - begin);
    }

    [[noreturn]] void fail(const std::string& what) const { failAt(position_, what); }
    [[noreturn]] static void failAt(std::size_t position, const std::string& what) {
        throw std::invalid_argument("column " + std::to_string(position + 1) + ": " + what);
    }

  private:
    std::string_view text_;
    std::size_t position_ = 0;
};

// -- plain ---------------------------------------------------------------------------------------

/// After the opening quote, to behind the closing one.
void appendQuoted(Reader& reader, char quote, std::string& word) {
    const auto opened = reader.position() - 1;
    while (!reader.atEnd()) {
        const char c = reader.next();
        if (c == quote) return;
        const bool escapes = quote == '"' && c == '\\' && !reader.atEnd() &&
                             (reader.peek() == '"' || reader.peek() == '\\');
        word += escapes ? reader.next() : c;
    }
    Reader::failAt(opened, "this quote is not closed");
}

std::string plainWord(Reader& reader) {
    std::string word;
    while (!reader.atEnd() && !isBlank(reader.peek())) {
        const char c = reader.next();
        if (c == '\'' || c == '"')
            appendQuoted(reader, c, word);
        else
            word += c == '\\' && !reader.atEnd() ? reader.next() : c;
    }
    return word;
}

std::vector<std::string> plainWords(Reader& reader) {
    std::vector<std::string> words;
    for (reader.skipBlanks(); !reader.atEnd(); reader.skipBlanks())
        words.push_back(plainWord(reader));
    return words;
}

// -- call form -----------------------------------------------------------------------------------

/// A string literal, rewritten as JSON's and read as that.
std::string callString(Reader& reader) {
    const auto opened = reader.position();
    const char quote = reader.next();
    std::string json = "\"";
    for (bool closed = false; !closed;) {
        if (reader.atEnd()) Reader::failAt(opened, "this string is not closed");
        const char c = reader.next();
        if (c == quote) {
            closed = true;
        } else if (c == '\\' && !reader.atEnd()) {
            const char escaped = reader.next();
            if (escaped != '\'') json += c;
            json += escaped;
        } else {
            if (c == '"') json += '\\';
            json += c;
        }
    }
    const auto value = nlohmann::json::parse(json + '"', nullptr, false);
    if (!value.is_string()) {
        Reader::failAt(opened, "not a string (a backslash itself is written \\\\)");
    }
    return value.get<std::string>();
}

/// Copies a JSON string as it stands, quotes included.
void copyString(Reader& reader, std::string& text) {
    text += reader.next();
    while (!reader.atEnd()) {
        const char c = reader.next();
        text += c;
        if (c == '"') return;
        if (c == '\\' && !reader.atEnd()) text += reader.next();
    }
}

/// Anything but a string: everything up to the comma or parenthesis that ends the argument.
std::string bareArgument(Reader& reader) {
    const auto begin = reader.position();
    std::string text;
    int depth = 0;
    while (!reader.atEnd()) {
        const char c = reader.peek();
        if (depth == 0 && (c == ',' || c == ')')) break;
        if (c == '"') {
            copyString(reader, text);
            continue;
        }
        if (c == '{' || c == '[' || c == '(') ++depth;
        if (c == '}' || c == ']' || c == ')') --depth;
        text += reader.next();
    }
    while (!text.empty() && isBlank(text.back())) text.pop_back();
    if (text.empty()) Reader::failAt(begin, "an argument is missing");
    return text;
}

std::string callArgument(Reader& reader) {
    reader.skipBlanks();
    if (reader.atEnd()) reader.fail("an argument or `)` is missing");
    const bool quoted = reader.peek() == '\'' || reader.peek() == '"';
    auto argument = quoted ? callString(reader) : bareArgument(reader);
    reader.skipBlanks();
    return argument;
}

std::vector<std::string> callWords(Reader& reader) {
    std::vector<std::string> words{std::string(reader.letters())};
    reader.skipBlanks();
    reader.skip('(');
    reader.skipBlanks();
    if (!reader.skip(')')) {
        do words.push_back(callArgument(reader));
        while (reader.skip(','));
        if (!reader.skip(')')) reader.fail("`,` or `)` is missing");
    }
    reader.skipBlanks();
    reader.skip(';');
    reader.skipBlanks();
    if (!reader.atEnd()) reader.fail("nothing may follow the call");
    return words;
}

}  // namespace

bool isCallForm(std::string_view line) {
    Reader reader(line);
    reader.skipBlanks();
    if (reader.letters().empty()) return false;
    reader.skipBlanks();
    return reader.skip('(');
}

Line splitLine(std::string_view line) {
    Reader reader(line);
    reader.skipBlanks();
    if (reader.atEnd() || reader.peek() == '#') return {};
    try {
        return {isCallForm(line) ? callWords(reader) : plainWords(reader), {}};
    } catch (const std::invalid_argument& error) {
        return {{}, error.what()};
    }
}

}  // namespace netcluster::ctl
