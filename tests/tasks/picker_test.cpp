#include <doctest/doctest.h>

#include <map>
#include <netcluster/node.hpp>
#include <set>

using netcluster::Json;
using netcluster::Node;
using netcluster::Pick;
using netcluster::Picker;

namespace {

Node node(const std::string& id, Json stats = Json::object()) {
    Node made;
    made.id = id;
    made.stats = std::move(stats);
    return made;
}

std::string idOf(const Node* picked) {
    return picked ? picked->id : "none";
}

std::string picked(const std::vector<Node>& nodes, Pick how, std::string_view key = {}) {
    return idOf(Picker().pick(nodes, how, key));
}

const std::vector<Node> three{node("b"), node("c"), node("a")};

}  // namespace

TEST_CASE("of no nodes none is picked") {
    for (const Pick how : {Pick::first, Pick::last, Pick::random, Pick::roundRobin,
                           Pick::leastLoaded, Pick::leastMemory, Pick::sticky}) {
        CHECK(picked({}, how) == "none");
    }
}

TEST_CASE("first and last go by the ids, whatever the order they are given in") {
    CHECK(picked(three, Pick::first) == "a");
    CHECK(picked(three, Pick::last) == "c");
}

TEST_CASE("random picks each about as often") {
    Picker picker;
    std::map<std::string, int> times;
    for (int i = 0; i < 3000; ++i) ++times[idOf(picker.pick(three, Pick::random))];
    for (const char* id : {"a", "b", "c"}) CHECK(times[id] > 800);
}

TEST_CASE("round robin goes on where it was, also when nodes come and go") {
    Picker picker;
    const auto next = [&](const std::vector<Node>& nodes) {
        return idOf(picker.pick(nodes, Pick::roundRobin));
    };
    CHECK(next(three) == "a");
    CHECK(next(three) == "b");
    CHECK(next({node("a"), node("c"), node("bb")}) == "bb");
    CHECK(next({node("a"), node("b")}) == "a");
    CHECK(next(three) == "b");
    CHECK(next(three) == "c");
    CHECK(next(three) == "a");
}

TEST_CASE("the least loaded has the fewest tasks, then the least load, then the idlest host") {
    const auto loaded = [](int busy, double load, double hostload, int cpus) {
        return Json{{"busy", busy}, {"load", load}, {"hostload", hostload}, {"cpus", cpus}};
    };
    CHECK(picked({node("a", loaded(2, 0, 0, 1)), node("b", loaded(1, 9, 9, 1))},
                 Pick::leastLoaded) == "b");
    CHECK(picked({node("a", loaded(1, 0.5, 0, 1)), node("b", loaded(1, 0.25, 9, 1))},
                 Pick::leastLoaded) == "b");
    CHECK(picked({node("a", loaded(1, 0.5, 2, 1)), node("b", loaded(1, 0.5, 4, 8))},
                 Pick::leastLoaded) == "b");
    CHECK(picked({node("b", loaded(1, 1, 1, 1)), node("a", loaded(1, 1, 1, 1))},
                 Pick::leastLoaded) == "a");
}

TEST_CASE("the least memory wins, and who has not said anything comes last") {
    CHECK(picked({node("a"), node("b", {{"memory", 300}}), node("c", {{"memory", 200}})},
                 Pick::leastMemory) == "c");
    CHECK(picked({node("a"), node("b", {{"busy", 99}})}, Pick::leastLoaded) == "b");
    CHECK(picked({node("b"), node("a")}, Pick::leastMemory) == "a");
}

TEST_CASE("stats that are not what they should be do no harm") {
    const std::vector<Node> odd{node("a", "busy"), node("b", {{"busy", "x"}, {"cpus", 0}}),
                                node("c", {{"memory", nullptr}})};
    CHECK(picked(odd, Pick::leastLoaded) == "b");
    CHECK(picked(odd, Pick::leastMemory) == "a");
}

TEST_CASE("sticky: a key stays with its node, and only keys of a node that goes move") {
    std::vector<Node> nodes;
    for (int i = 0; i < 10; ++i) nodes.push_back(node("node-" + std::to_string(i)));
    std::vector<Node> fewer = nodes;
    fewer.erase(fewer.begin() + 4);
    std::map<std::string, int> keys;
    for (int i = 0; i < 1000; ++i) {
        const std::string key = "user-" + std::to_string(i);
        const std::string before = picked(nodes, Pick::sticky, key);
        ++keys[before];
        if (before != "node-4") CHECK(picked(fewer, Pick::sticky, key) == before);
    }
    for (const auto& [id, count] : keys) {
        CAPTURE(id);
        CHECK(count > 60);
        CHECK(count < 140);
    }
    CHECK(keys.size() == 10);
}

TEST_CASE("sticky: all who pick, on whatever system, pick the same") {
    CHECK(picked(three, Pick::sticky, "alpha") == picked(three, Pick::sticky, "alpha"));
    std::string picks;
    for (const char* key : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
        picks += picked(three, Pick::sticky, key);
    }
    CHECK(picks == "baaabbac");
}
