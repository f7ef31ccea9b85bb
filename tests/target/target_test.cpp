#include "target.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

using namespace netcluster;

namespace {

struct Node final : Tagged {
    std::string id;
    std::vector<std::string> regions;
    std::map<std::string, std::string, std::less<>> tags;

    Node(std::string itsId, std::vector<std::string> itsRegions,
         std::map<std::string, std::string, std::less<>> itsTags = {})
        : id(std::move(itsId)), regions(std::move(itsRegions)), tags(std::move(itsTags)) {}

    bool isNamed(std::string_view name) const override {
        return name == id || std::find(regions.begin(), regions.end(), name) != regions.end();
    }
    bool hasTag(std::string_view key, std::string_view value) const override {
        const auto found = tags.find(key);
        return found != tags.end() && found->second == value;
    }
};

const Node web{"web-1", {"eu", "front"}, {{"disk", "ssd"}, {"region", "eu"}}};
const Node db{"db-1", {"us"}, {{"disk", "spinning"}, {"region", "us"}}};

// "web", "db", "both", "none", or what is wrong.
std::string whoIs(std::string_view text) {
    const auto [target, error] = Target::compile(text);
    if (!target) return error;
    const bool isWeb = target->matches(web);
    const bool isDb = target->matches(db);
    return isWeb && isDb ? "both" : isWeb ? "web" : isDb ? "db" : "none";
}

}  // namespace

TEST_CASE("a word names a node or a region") {
    CHECK(whoIs("web-1") == "web");
    CHECK(whoIs("front") == "web");
    CHECK(whoIs(" us ") == "db");
    CHECK(whoIs("asia") == "none");
    CHECK(whoIs("Web-1") == "none");
    CHECK(whoIs("*") == "both");
}

TEST_CASE("several of either, as Gleam writes it and as others do") {
    CHECK(whoIs("web-1:us") == "both");
    CHECK(whoIs("web-1,nobody") == "web");
    CHECK(whoIs("nobody|db-1") == "db");
    CHECK(whoIs("nobody:noone") == "none");
}

TEST_CASE("tags, and how operators bind") {
    CHECK(whoIs("disk=ssd") == "web");
    CHECK(whoIs("disk = ssd & region=eu") == "web");
    CHECK(whoIs("disk=ssd & region=us") == "none");
    CHECK(whoIs("!disk=ssd") == "db");
    CHECK(whoIs("!!disk=ssd") == "web");
    CHECK(whoIs("disk=tape") == "none");
    CHECK(whoIs("web-1 | db-1 & nobody") == "web");
    CHECK(whoIs("(web-1 | db-1) & us") == "db");
    CHECK(whoIs("!(web-1 | nobody)") == "db");
    CHECK(whoIs("* & !db-1") == "web");
}

TEST_CASE("what is not an expression is told with its place") {
    CHECK(whoIs("") == "a name is missing at byte 1");
    CHECK(whoIs("a:") == "a name is missing at byte 3");
    CHECK(whoIs("a b") == "unexpected at byte 3");
    CHECK(whoIs("(a") == "a \")\" is missing at byte 3");
    CHECK(whoIs("a)") == "unexpected at byte 2");
    CHECK(whoIs("a=") == "a value is missing at byte 3");
    CHECK(whoIs("=a") == "a name is missing at byte 1");
    CHECK(whoIs("&") == "a name is missing at byte 1");
    CHECK(whoIs("a\nb") == "unexpected at byte 2");
    CHECK(whoIs(std::string(128, 'a')) == "none");
    CHECK(whoIs(std::string(129, 'a')) == "a name of more than 128 bytes at byte 130");
    CHECK(whoIs(std::string(1025, 'a')) == "longer than 1024 bytes");
}

TEST_CASE("nesting ends somewhere") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "web-1" + std::string(depth, ')');
    };
    CHECK(whoIs(nested(Target::maxDepth)) == "web");
    CHECK(whoIs(nested(Target::maxDepth + 1)) == "nested too deep at byte 34");
    CHECK(whoIs(std::string(500, '!') + "web-1") == "nested too deep at byte 34");
}

TEST_CASE("a list of names tells whom it names, an expression does not") {
    using Names = std::vector<std::string>;
    CHECK(Target::compile("a").target->names() == Names{"a"});
    CHECK(Target::compile("a:b,c").target->names() == Names{"a", "b", "c"});
    CHECK(Target::compile("a:!b").target->names().empty());
    CHECK(Target::compile("a=b").target->names().empty());
    CHECK(Target::compile("*").target->names().empty());
}

TEST_CASE("words that may name something") {
    CHECK(validTagWord("web-1.example.org/2@x"));
    CHECK(validTagWord("münchen"));
    CHECK_FALSE(validTagWord(""));
    CHECK_FALSE(validTagWord("a b"));
    CHECK_FALSE(validTagWord("a:b"));
    CHECK_FALSE(validTagWord(std::string("a\0", 2)));
    CHECK_FALSE(validTagWord(std::string(129, 'a')));
}
