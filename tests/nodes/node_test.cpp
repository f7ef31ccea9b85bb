#include "node.hpp"

#include <doctest/doctest.h>

using namespace netcluster;
using namespace netcluster::daemon;
using nlohmann::json;

namespace {

// What is wrong with it; "fine" when nothing is.
std::string judged(const json& text) {
    std::string error;
    return readDescription(text, error) ? "fine" : error;
}

Node web() {
    std::string error;
    return *readNode(json::parse(R"({"id": "web-1", "regions": ["eu", "front"],
        "services": [{"name": "http", "port": 80}], "info": {"disk": "ssd", "cpus": 4, "gpu": false,
        "more": {}}, "host": "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf", "hostname": "alpha",
        "since": 1700000000000})"),
                     error);
}

bool isFor(std::string_view target) {
    return Target::compile(target).target->matches(web());
}

}  // namespace

TEST_CASE("a node's JSON is read and written") {
    const Node node = web();
    CHECK(node.said.id == "web-1");
    CHECK(node.said.regions == std::vector<std::string>{"eu", "front"});
    CHECK(node.said.services.size() == 1);
    CHECK(node.said.services[0].port == 80);
    CHECK(node.hostName == "alpha");
    std::string error;
    CHECK(readNode(nodeJson(node), error) == node);
}

TEST_CASE("only the id is needed") {
    CHECK(judged({{"id", "a"}}) == "fine");
    CHECK(judged({{"id", "a"}, {"of a later version", 1}}) == "fine");
}

TEST_CASE("what is wrong with a description is told") {
    CHECK(judged(json::array()) == "a node is not an object");
    CHECK(judged(json::object()) == "id is not a string");
    CHECK(judged({{"id", "a b"}}).starts_with("id is not a name"));
    CHECK(judged({{"id", "a"}, {"regions", "eu"}}) == "regions is not an array");
    CHECK(judged({{"id", "a"}, {"regions", {1}}}) == "a region is not a string");
    CHECK(judged({{"id", "a"}, {"regions", std::vector<std::string>(65, "r")}}) ==
          "regions has more than 64 entries");
    CHECK(judged({{"id", "a"}, {"info", 1}}) == "info is not an object");
    CHECK(judged({{"id", "a"}, {"services", {{{"port", 1}}}}}) ==
          "the name of a service is not a string");
    for (const json& port : {json(-1), json(65536), json(1.5), json("80")}) {
        CHECK(judged({{"id", "a"}, {"services", {{{"name", "s"}, {"port", port}}}}}) ==
              "the port of service s is not a number from 0 to 65535");
    }
}

TEST_CASE("what targets ask of a node") {
    for (const char* yes : {"web-1", "eu", "node=web-1", "region=front", "host=alpha",
                            "service=http", "disk=ssd", "cpus=4", "gpu=false"}) {
        CAPTURE(yes);
        CHECK(isFor(yes));
    }
    for (const char* no : {"alpha", "http", "node=eu", "region=web-1", "host=beta", "service=80",
                           "disk=hdd", "cpus=4.0", "more=x", "absent=x"}) {
        CAPTURE(no);
        CHECK_FALSE(isFor(no));
    }
}
