// Results that are too large for one event: cut into pieces, and joined again. Pure; not to be used
// by two threads at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace netcluster::tasks {

/// Bytes that a piece has as JSON text, at first; a result with more goes in pieces. Reason: well
/// below the 4 MiB that daemons take by default, and small enough that many can be on their way to
/// one caller.
inline constexpr std::size_t pieceSize = std::size_t{64} << 10;
/// The smallest, for daemons that take less.
inline constexpr std::size_t leastPieceSize = std::size_t{256};
/// A result has at most so many bytes of JSON text. Reason: more is data for a file; as JSON in
/// memory it is many times as much.
inline constexpr std::size_t maxResult = std::size_t{256} << 20;

/// The parts of `text`, which is UTF-8, between characters, each of at most `limit` bytes when
/// written as a JSON string; one part when it is empty. They point into `text`.
std::vector<std::string_view> cutIntoPieces(std::string_view text, std::size_t limit);

/// Puts the pieces of one result together. They come in order, for one node's events do.
class PieceJoiner {
  public:
    /// Takes the next one. False: this result will never be whole; `error` says why.
    bool add(std::uint64_t part, std::uint64_t parts, std::string_view text);
    bool whole() const { return next_ != 0 && next_ == parts_; }
    std::size_t size() const { return text_.size(); }
    std::string take() { return std::move(text_); }
    const std::string& error() const { return error_; }
    /// "3 of 9", for those who wait.
    std::string progress() const;

  private:
    bool fail(std::string why);

    std::uint64_t next_ = 0;
    std::uint64_t parts_ = 0;  // 0: none has come
    std::string text_;
    std::string error_;
};

}  // namespace netcluster::tasks
