#include "hosts.hpp"

#include <doctest/doctest.h>

namespace netcluster::ctl {
namespace {

TEST_CASE("hosts: one line each, what is not known is a dash") {
    const Json answer = Json::parse(R"([
      {"self": true, "id": "1", "name": "alpha", "version": "2.0.0", "uptime": 7380000,
       "load": 0.314, "cpus": 2, "memory": {"total": 8589934592, "available": 4294967296},
       "clients": 3, "channels": ["A", "B"]},
      {"id": "2", "name": "beta", "online": true, "hearsus": true, "address": "10.0.0.2:4454",
       "version": "2.0.0", "uptime": 61000, "lastheard": 400, "gaps": {"count": 2}},
      {"id": "3", "name": "gamma", "online": true, "hearsus": false},
      {"id": "4", "name": "delta", "online": false, "lastheard": 12000},
      {"id": "5", "name": "epsilon", "online": true, "lagging": true}])");
    CHECK(hostsText(answer) ==
          "NAME     STATE      ADDRESS        VERSION  UPTIME     HEARD  LOAD       MEMORY FREE"
          "         CLIENTS  GAPS  CHANNELS\n"
          "alpha    this host  -                2.0.0  2 h 3 min  -      0.31 of 2  4.0 GiB of"
          " 8.0 GiB        3     -  A, B\n"
          "beta     online     10.0.0.2:4454    2.0.0  1 min 1 s  0 s    -          -         "
          "                -     2  -\n"
          "gamma    one-way    -                    -  -          -      -          -         "
          "                -     -  -\n"
          "delta    gone       -                    -  -          12 s   -          -         "
          "                -     -  -\n"
          "epsilon  lagging    -                    -  -          -      -          -         "
          "                -     -  -\n");
}

TEST_CASE("hosts: a name from the network cannot move the cursor") {
    const Json answer = {{{"name", "be\x1b[2Jta"}, {"channels", {"\x1b[31m"}}}};
    CHECK(hostsText(answer).find('\x1b') == std::string::npos);
}

TEST_CASE("hosts: no link, and answers of another shape") {
    CHECK(hostsText(Json::array()) == "the link is off: there are no other hosts\n");
    CHECK(hostsText({{"x", 1}}) == "{\n  \"x\": 1\n}\n");
    CHECK_NOTHROW(hostsText(Json::parse(R"([1, null, {"name": 7, "uptime": "x", "gaps": []}])")));
}

}  // namespace
}  // namespace netcluster::ctl
