#include "arguments.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace netcluster::worker;
using namespace std::chrono_literals;

namespace {

Settings parse(std::vector<const char*> words) {
    words.insert(words.begin(), "ncworker");
    CLI::App app;
    Arguments arguments;
    describe(app, arguments);
    app.parse(wordsFor(app, static_cast<int>(words.size()), words.data()));
    return settingsOf(arguments);
}

std::string refusal(const std::vector<const char*>& words) {
    try {
        parse(words);
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return "taken";
}

}  // namespace

TEST_CASE("one dash or two, with = or without") {
    for (const auto& words : std::vector<std::vector<const char*>>{
             {"-id", "w", "-region", "a:b", "-script", "s", "-log_level", "debug"},
             {"--id", "w", "--region", "a:b", "--script", "s", "--log-level", "debug"},
             {"-id=w", "-region=a:b", "--script=s", "--log_level=debug"}}) {
        const Settings settings = parse(words);
        CHECK(settings.id == "w");
        CHECK(settings.regions == std::vector<std::string>{"a", "b"});
        CHECK(settings.script == "s");
    }
}

TEST_CASE("handlers and tags are repeated, and keep what they say") {
    const Settings settings =
        parse({"--exec", "deploy=./deploy.sh [a,b] \"$1\"", "-exec", "x=y=z", "--on",
               "sensor\\..*=cat", "--tag", "disk=ssd", "-tag", "cpu=8"});
    CHECK(settings.commands ==
          std::vector<Handler>{{"deploy", "./deploy.sh [a,b] \"$1\""}, {"x", "y=z"}});
    CHECK(settings.eventCommands == std::vector<Handler>{{"sensor\\..*", "cat"}});
    CHECK(settings.tags == netcluster::Json{{"disk", "ssd"}, {"cpu", "8"}});
}

TEST_CASE("limits in their units") {
    const Settings settings = parse(
        {"-script",        "s", "--run-time",     "0.5", "--wall-time", "7",   "--memory",      "2",
         "--total-memory", "3", "--instructions", "9",   "--exec-time", "1.5", "--exec-output", "4",
         "--exec-jobs",    "5", "--queue",        "6",   "--grace",     "8"});
    CHECK(settings.limits.run == 500ms);
    CHECK(settings.limits.wall == 7s);
    CHECK(settings.limits.memory == 2u << 20);
    CHECK(settings.limits.total == 3u << 20);
    CHECK(settings.limits.instructions == 9'000'000);
    CHECK(settings.exec.time == 1500ms);
    CHECK(settings.exec.output == 4096);
    CHECK(settings.exec.atOnce == 5);
    CHECK(settings.queue == 6);
    CHECK(settings.grace == 8s);
}

TEST_CASE("what is wrong is said") {
    CHECK(refusal({}) == "There is nothing to do: give --script, --exec or --on.");
    CHECK(refusal({"-exec", "deploy"}) == "--exec: \"deploy\" is not NAME=COMMAND");
    CHECK(refusal({"-on", "("}) == "--on: \"(\" is not PATTERN=COMMAND");
    CHECK(refusal({"-script", "s", "-tag", "x"}) == "--tag: \"x\" is not KEY=VALUE");
    CHECK(refusal({"-script", "s", "-tag", "a-b=1", "-tag", "a_b=2"}) ==
          "--tag: \"a-b\" and \"a_b\" would both be NETCLUSTER_TAG_A_B for commands");
    CHECK(refusal({"-script", "s", "-tag", "a=1", "-tag", "a=2"}) == "taken");
    CHECK(refusal({"-script", "s", "-tag", "host=b"}) ==
          "--tag: \"host\" is what the system says of a node; no tag has that name");
    CHECK(refusal({"-exec", "a=b", "-exec", "a=c"}) == "--exec: \"a\" is given twice");
    CHECK(refusal({"-script", "s", "-run-time", "0"}) ==
          "--run-time: is not between 0.001 and 86400");
    CHECK(refusal({"-script", "s", "-memory", "65", "-total-memory", "64"}) ==
          "--total-memory: is less than --memory");
    CHECK(refusal({"-script", "s", "-queue", "0"}) == "--queue: is not between 1 and 1000000");
    CHECK(refusal({"-script", "s", "-nonsense"}) != "taken");
    CHECK(refusal({"-script", "s", "-log_level", "loud"}) != "taken");
    CHECK(refusal({"-script", "s", "stray"}) != "taken");
}

TEST_CASE("an id and regions are names, else a start would fail only once it registers") {
    for (const std::string& id :
         std::vector<std::string>{"a b", "a:b", "a=b", "*", "a\n", "\xff"}) {
        CAPTURE(id);
        CHECK(refusal({"-exec", "x=true", "-id", id.c_str()}).find("is not a name") !=
              std::string::npos);
    }
    for (const std::string& region : std::vector<std::string>{"a=b", "eu:a b", "a,b", "!a"}) {
        CAPTURE(region);
        CHECK(refusal({"-exec", "x=true", "-region", region.c_str()}).find("--region: ") == 0);
    }
    CHECK(refusal({"-exec", "x=true", "-tag", "a b=1"}).find("--tag: \"a b\" is not a name") == 0);
    CHECK(parse({"-exec", "x=true", "-id", "web-1.example.org", "-region", "eu:m\u00fcnchen"}).id ==
          "web-1.example.org");
}
