#include "commands.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

using namespace netcluster::worker;
using netcluster::Json;

TEST_CASE("a command is told what it is called for") {
    Settings settings;
    settings.channel = "A";
    settings.regions = {"eu", "web"};
    settings.tags = {{"disk-type", "ssd"}};
    settings.dir = "/run/x";
    const auto all = environmentFor({.task = "deploy",
                                     .event = "task.deploy",
                                     .node = "w1",
                                     .id = "7\nX=1",
                                     .sender = "uuid",
                                     .host = "alpha"},
                                    settings);
    for (const char* variable :
         {"NETCLUSTER_TASK=deploy", "NETCLUSTER_EVENT=task.deploy", "NETCLUSTER_NODE=w1",
          "NETCLUSTER_ID=7?X=1", "NETCLUSTER_SENDER=uuid", "NETCLUSTER_HOST=alpha",
          "NETCLUSTER_CHANNEL=A", "NETCLUSTER_REGIONS=eu:web", "NETCLUSTER_TAG_DISK_TYPE=ssd",
          "NETCLUSTER_DIR=/run/x"}) {
        CAPTURE(variable);
        CHECK(std::find(all.begin(), all.end(), variable) != all.end());
    }
    CHECK(environmentFor({.event = std::string(1 << 20, 'x')}, settings)[1].size() < 5000);
}

TEST_CASE("the payload: text as it is, all else as JSON") {
    CHECK(inputFor("v1.2") == "v1.2");
    CHECK(inputFor(nullptr).empty());
    CHECK(inputFor({{"a", {1, "x"}}}) == R"({"a":[1,"x"]})");
    CHECK(inputFor(5) == "5");
}

TEST_CASE("how it ended is the answer") {
    const ExecLimits limits;
    Finished finished{.out = "fine\n", .err = ""};
    CHECK(resultOf(finished) == Json{{"status", 0}, {"stdout", "fine\n"}, {"stderr", ""}});
    CHECK(failureOf(finished, limits).empty());
    finished.outCut = true;
    CHECK(resultOf(finished)["cut"] == Json{"stdout"});
    finished.out = "\xff\xc3";
    CHECK(resultOf(finished)["stdout"] == "\uFFFD\uFFFD");

    Finished wrong{.status = 3, .err = "no disk"};
    CHECK(failureOf(wrong, limits) ==
          R"(exit status 3: {"status":3,"stderr":"no disk","stdout":""})");
    wrong.how = Finished::How::timedOut;
    CHECK(failureOf(wrong, limits).starts_with("not finished after 60000 ms (--exec-time 60): {"));
    const Finished killed{.how = Finished::How::signalled, .signal = 9};
    CHECK(failureOf(killed, limits) ==
          R"(ended by signal 9: {"signal":9,"status":null,"stderr":"","stdout":""})");
    CHECK(failureOf({.how = Finished::How::notStarted, .error = "why"}, limits) ==
          "cannot be started: why");
}

TEST_CASE("a failure with much output is short, and its JSON whole") {
    const ExecLimits limits;
    const auto jsonOf = [&limits](const Finished& finished) {
        const std::string failure = failureOf(finished, limits);
        CHECK(failure.size() <= 4096);
        CHECK(failure.size() > 4000);  // as much as fits
        return Json::parse(failure.substr(failure.find('{')));
    };
    const auto filled = [](std::size_t count, const std::string& with) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += with;
        return text;
    };
    for (const std::string with : {"x", "\n", "\x01", "\"", "\xff", "\u20AC", "\U0001F600"}) {
        CAPTURE(with);
        const std::string much = filled(100'000, with);
        const Json both = jsonOf({.status = 1, .out = much, .err = much});
        CHECK(both["status"] == 1);
        CHECK(both["cut"] == Json{"stdout", "stderr"});
        CHECK_FALSE(both["stderr"].get<std::string>().empty());
        const Json one = jsonOf({.status = 1, .out = "all of it", .err = much});
        CHECK(one["cut"] == Json{"stderr"});
        CHECK(one["stdout"] == "all of it");
    }
    const Json said = jsonOf(
        {.how = Finished::How::signalled, .signal = 9, .out = filled(9000, "x"), .outCut = true});
    CHECK(said["cut"] == Json{"stdout"});
    CHECK(said["signal"] == 9);
}

TEST_CASE("NAME=COMMAND") {
    CHECK(parseHandler("deploy=./d.sh a=b") == Handler{"deploy", "./d.sh a=b"});
    for (const char* bad : {"", "deploy", "=x", "deploy="}) {
        CHECK_THROWS_AS(parseHandler(bad), std::invalid_argument);
    }
}
