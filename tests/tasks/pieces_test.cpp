#include "pieces.hpp"

#include <doctest/doctest.h>

#include <netcluster/event.hpp>

using namespace netcluster::tasks;
using netcluster::Json;

namespace {

std::string joined(const std::vector<std::string_view>& pieces) {
    PieceJoiner joiner;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        CHECK_FALSE(joiner.whole());
        REQUIRE(joiner.add(i, pieces.size(), pieces[i]));
    }
    CHECK(joiner.whole());
    return joiner.take();
}

}  // namespace

TEST_CASE("what is cut is whole again, wherever it was cut, and no piece is too large") {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "a\"\\é€𝄞\n\x7f";
    for (std::size_t limit = 12; limit < 60; ++limit) {
        const auto pieces = cutIntoPieces(text, limit);
        for (const auto piece : pieces) {
            // Throws when a character is cut in two.
            const std::string written = Json(piece).dump();
            CHECK(written.size() - 2 <= limit);
        }
        CHECK(joined(pieces) == text);
    }
}

TEST_CASE("pieces are as large as they may be") {
    const std::string text(1000, 'x');
    CHECK(cutIntoPieces(text, 1000).size() == 1);
    CHECK(cutIntoPieces(text, 999).size() == 2);
    CHECK(cutIntoPieces(text, 100).size() == 10);
    CHECK(cutIntoPieces("", 100).size() == 1);
}

TEST_CASE("a piece that is lost, or comes twice, or contradicts, is noticed") {
    PieceJoiner lost;
    CHECK(lost.add(0, 3, "a"));
    CHECK_FALSE(lost.add(2, 3, "c"));
    CHECK(lost.error() == "piece 2 of its result is lost");
    CHECK_FALSE(lost.add(1, 3, "b"));

    PieceJoiner twice;
    CHECK(twice.add(0, 3, "a"));
    CHECK_FALSE(twice.add(0, 3, "a"));
    CHECK(twice.error() == "piece 1 of its result came twice");

    PieceJoiner other;
    CHECK(other.add(0, 3, "a"));
    CHECK_FALSE(other.add(1, 4, "b"));
    CHECK(other.error() == "piece 2 of its result contradicts the others");

    CHECK_FALSE(PieceJoiner().add(0, 0, ""));
    CHECK_FALSE(PieceJoiner().add(3, 3, ""));
    CHECK_FALSE(PieceJoiner().add(1, 3, ""));
}

TEST_CASE("how far it has come can be told") {
    PieceJoiner joiner;
    joiner.add(0, 9, "a");
    joiner.add(1, 9, "b");
    CHECK(joiner.progress() == "2 of 9");
    CHECK(joiner.size() == 2);
}

TEST_CASE("a result that would be too large fails") {
    PieceJoiner joiner;
    const std::string piece(maxResult / 4, ' ');
    for (std::uint64_t i = 0; i < 4; ++i) CHECK(joiner.add(i, 9, piece));
    CHECK_FALSE(joiner.add(4, 9, "x"));
    CHECK(joiner.error() == "its result has more than 268435456 bytes");
    CHECK(joiner.size() == 0);
}
