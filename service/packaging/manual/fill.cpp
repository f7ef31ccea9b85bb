#include "fill.hpp"

#include <regex>
#include <set>
#include <stdexcept>

namespace netcluster::manual {
namespace {

bool isWholeLine(const std::string& text, std::size_t begin, std::size_t end) {
    return (begin == 0 || text[begin - 1] == '\n') && end < text.size() && text[end] == '\n';
}

}  // namespace

std::string filled(const std::string& text, const Pieces& pieces) {
    static const std::regex name("@([A-Z_]+)@");
    std::set<std::string> used;
    std::string result;
    std::size_t done = 0;
    for (std::sregex_iterator match(text.begin(), text.end(), name), last; match != last; ++match) {
        const auto begin = static_cast<std::size_t>(match->position());
        auto end = begin + static_cast<std::size_t>(match->length());
        const auto piece = pieces.find(match->str(1));
        if (piece == pieces.end()) throw std::runtime_error("no piece " + match->str());
        used.insert(piece->first);
        result.append(text, done, begin - done);
        result += piece->second;
        if (isWholeLine(text, begin, end)) {
            ++end;  // the piece brings its own newline
        } else if (result.ends_with('\n')) {
            result.pop_back();
        }
        done = end;
    }
    for (const auto& piece : pieces) {
        if (!used.contains(piece.first)) throw std::runtime_error("nobody uses @" + piece.first);
    }
    return result.append(text, done);
}

}  // namespace netcluster::manual
