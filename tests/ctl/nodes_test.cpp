#include "nodes.hpp"

#include <doctest/doctest.h>

namespace netcluster::ctl {
namespace {

const Json web = Json::parse(R"({"id": "web-1", "host": "a0", "hostname": "alpha", "self": true,
    "client": "c0", "regions": ["eu", "front"], "age": 61000, "since": 1700000000000,
    "services": [{"name": "http", "port": 80}, {"name": "admin", "port": 0}],
    "info": {"disk": "ssd", "more": {"x": 1}},
    "stats": {"load": 0.314, "memory": 2097152, "busy": 2, "requests": 77, "uptime": 3661,
              "version": "2.0.0", "queue": [1]}})");

TEST_CASE("nodes: one line each, what is not known is a dash") {
    CHECK(nodesText({web, {{"id", "db"}, {"host", "a1"}}}) ==
          "ID     HOST   REGIONS    SERVICES        SINCE      LOAD  MEMORY   BUSY  REQUESTS"
          "  UPTIME         VERSION\n"
          "web-1  alpha  eu, front  http 80, admin  1 min 1 s  0.31  2.0 MiB     2        77"
          "  1 h 1 min 1 s    2.0.0\n"
          "db     a1     -          -               -             -  -           -         -"
          "  -                    -\n");
}

TEST_CASE("node: all that is known of it") {
    Json answer = web;
    answer["later"] = 1;
    CHECK(nodeText(answer) ==
          "id              web-1\n"
          "host            alpha (this host)\n"
          "hostid          a0\n"
          "client          c0\n"
          "since           1 min 1 s\n"
          "regions         eu, front\n"
          "services        http 80, admin\n"
          "info.disk       ssd\n"
          "info.more       {\"x\":1}\n"
          "stats.busy      2\n"
          "stats.load      0.31\n"
          "stats.memory    2.0 MiB\n"
          "stats.queue     1\n"
          "stats.requests  77\n"
          "stats.uptime    1 h 1 min 1 s\n"
          "stats.version   2.0.0\n"
          "later           1\n");
}

TEST_CASE("nodes: what others say of themselves cannot move the cursor") {
    const Json evil = "\x1b[2J";
    const Json node{{"id", evil},
                    {"hostname", evil},
                    {"regions", {evil}},
                    {"services", {{{"name", evil}}}},
                    {"info", {{evil, evil}}},
                    {"stats", {{evil, evil}, {"load", evil}}}};
    CHECK(nodesText({node}).find('\x1b') == std::string::npos);
    CHECK(nodeText(node).find('\x1b') == std::string::npos);
}

TEST_CASE("nodes: none, and answers of another shape") {
    CHECK(nodesText(Json::array()) == "no nodes\n");
    CHECK(nodesText({{"x", 1}}) == "{\n  \"x\": 1\n}\n");
    CHECK(nodeText(7) == "7\n");
    const Json odd =
        Json::parse(R"([1, null, {"id": 7, "age": "x", "services": [1, {}], "stats": [],
        "info": 1, "regions": {}}, {"age": 1e99, "stats": {"uptime": -1, "memory": 1e300}}])");
    CHECK_NOTHROW(nodesText(odd));
    for (const Json& node : odd) CHECK_NOTHROW(nodeText(node));
}

}  // namespace
}  // namespace netcluster::ctl
