#include "pieces.hpp"

#include <algorithm>

namespace netcluster::tasks {
namespace {

// What a byte takes within a JSON string. Control characters do not occur in JSON text, but a limit
// must hold for whatever comes.
std::size_t sizeInString(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\') return 2;
    return byte < 0x20 || byte == 0x7F ? 6 : 1;
}

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::vector<std::string_view> cutIntoPieces(std::string_view text, std::size_t limit) {
    std::vector<std::string_view> pieces;
    std::size_t from = 0;
    std::size_t character = 0;  // where the current one begins
    std::size_t size = 0;       // of text[from, at) in a string
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!continues(text[at])) character = at;
        size += sizeInString(text[at]);
        if (size <= limit || character == from) continue;
        pieces.push_back(text.substr(from, character - from));
        from = character;
        size = 0;
        at = character;
        size += sizeInString(text[at]);
    }
    pieces.push_back(text.substr(from));
    return pieces;
}

std::size_t windowFor(std::uint64_t part, std::size_t results) {
    const std::size_t share = std::max(fewUnheard, mostUnheard / std::max<std::size_t>(1, results));
    return static_cast<std::size_t>(std::min<std::uint64_t>(fewUnheard + part / 2, share));
}

bool PieceJoiner::add(std::uint64_t part, std::uint64_t parts, std::string_view text) {
    if (!error_.empty()) return false;
    const std::string which = "piece " + std::to_string(part + 1) + " of its result ";
    if (parts == 0 || part >= parts || (parts_ != 0 && parts != parts_)) {
        return fail(which + "contradicts the others");
    }
    if (part < next_) return fail(which + "came twice");
    if (part > next_) return fail("piece " + std::to_string(next_ + 1) + " of its result is lost");
    if (text.size() > maxResult - text_.size()) {
        return fail("its result has more than " + std::to_string(maxResult) + " bytes");
    }
    parts_ = parts;
    ++next_;
    text_ += text;
    return true;
}

bool PieceJoiner::fail(std::string why) {
    error_ = std::move(why);
    text_ = std::string();
    return false;
}

std::string PieceJoiner::progress() const {
    return std::to_string(next_) + " of " + std::to_string(parts_);
}

}  // namespace netcluster::tasks
