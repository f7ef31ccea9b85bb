// The letters of config.json: where the reader stands in the text, blanks and comments, words and
// strings. jsonc.cpp makes values of them. Private to the reader of one text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "report.hpp"

namespace netcluster::config {

class Scanner {
  public:
    /// Skips a byte order mark. `text` and `report` must outlive this.
    Scanner(std::string_view text, Report& report);

    bool ended() const { return at_ == text_.size(); }
    /// The byte here, or NUL at the end (and NUL is an error anywhere else).
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    Place place() const { return {line_, static_cast<int>(at_ - lineStart_) + 1}; }
    void advance();

    /// Blanks and comments; false when a comment has no end.
    bool skipBlanks();
    /// Whether a word begins here: `true`, `-1.5e3`, or a misspelling of such.
    bool atWord() const;
    std::string_view word();
    /// The string that begins here, decoded. False when it has no end; `into` stays empty when it
    /// has one but something inside was wrong.
    bool string(std::optional<std::string>& into);

    /// What is read from now on belongs to a value one step further down; back up with `leave`.
    std::size_t enter(std::string_view step);
    void leave(std::size_t outer) { pointer_.resize(outer); }

    void wrong(const std::string& what) { wrong(place(), what); }
    void wrong(Place where, const std::string& what) { report_.problem(where, pointer_, what); }
    /// The same, for use in a return: nothing can be read after this.
    bool stop(const std::string& what);
    /// What stands here, for messages.
    std::string here() const;

  private:
    void skipLineComment();
    bool skipBlockComment();
    bool textByte();
    bool escape(std::string& into);
    bool unicodeEscape(std::string& into);
    std::optional<unsigned> hexUnit();

    std::string_view text_;
    Report& report_;
    std::size_t at_ = 0;
    std::size_t lineStart_ = 0;
    int line_ = 1;
    std::string pointer_;
};

}  // namespace netcluster::config
