// A strict, iterative JSON scanner (RFC 8259) that finds where values begin and end and builds
// nothing: the daemon looks at the envelope of a packet and passes the data on as the text it came
// as. A tree builder (nlohmann) would allocate for every event and rewrite its numbers.
// Pure; any thread; needs no memory but its own few bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace netcluster::wire {

/// Deepest nesting of an event's data. Reason: receivers use recursive parsers; Boost.JSON and
/// others stop at 32 as well.
inline constexpr std::size_t maxDataDepth = 32;

/// True when `text` is one JSON value, nested at most `maxDataDepth` deep, in valid UTF-8, with
/// white space around it at most.
bool validJson(std::string_view text);

/// Walks the members of one JSON object. `failed()` says why the walk ended early.
class ObjectScanner {
  public:
    /// `maxDepth`: of the members' values.
    ObjectScanner(std::string_view text, std::size_t maxDepth);

    /// Moves to the next member. False at the end of the object or on an error.
    bool next();

    std::string_view key() const { return key_; }      ///< as written, without the quotes
    std::string_view value() const { return value_; }  ///< the value's text, quotes included

    bool failed() const { return error_ != nullptr; }
    const char* error() const { return error_; }  ///< what is wrong, in words; null if nothing is
    std::size_t position() const { return at_; }  ///< of the error, in bytes

  private:
    bool atMember();
    bool fail(const char* why);

    std::string_view text_;
    std::size_t maxDepth_;
    std::size_t at_ = 0;
    std::string_view key_;
    std::string_view value_;
    const char* error_ = nullptr;
    enum class State { start, members, done } state_ = State::start;
};

/// The text of a JSON string (given with its quotes, already scanned) with escapes undone.
std::string unescape(std::string_view quoted);
/// Appends `text` as a JSON string, with quotes.
void appendQuoted(std::string& out, std::string_view text);

}  // namespace netcluster::wire
