#include "completion.hpp"

#include <doctest/doctest.h>

#include <ostream>

#include "commands.hpp"

namespace netcluster::ctl {

static std::ostream& operator<<(std::ostream& out, const Completion& completion) {
    out << completion.partial << " ->";
    for (const auto& word : completion.candidates) out << ' ' << word;
    return out << " +" << completion.closing;
}

namespace {

const LiveNames live{[] {
                         return std::vector<std::string>{"control", "B", "Alpha", "Axe"};
                     },
                     [](const std::string& channel) {
                         return std::vector<std::string>{channel + "-1", channel + "-2"};
                     },
                     [] {
                         return std::vector<std::string>{"web-1", "db"};
                     },
                     [] {
                         return std::vector<std::string>{"web-1", "db", "eu"};
                     }};

Completion at(std::string_view line) {
    return complete(line, live);
}

TEST_CASE("every command is offered, and those that begin as typed") {
    CHECK(at("").candidates.size() == commands().size());
    CHECK(at("sho") == Completion{"sho", {"showchannel", "showclient", "showconfig"}, " "});
    CHECK(at("  stat") == Completion{"stat", {"stats"}, " "});
    CHECK(at("help re") == Completion{"re", {"reloadconfig"}, " "});
    CHECK(at("nosuch x").candidates.empty());
}

TEST_CASE("live names stand where the table says") {
    CHECK(at("showchannel A") == Completion{"A", {"Alpha", "Axe"}, " "});
    CHECK(at("showchannel ") == Completion{"", {"Alpha", "Axe", "B", "control"}, " "});
    CHECK(at("emit B") == Completion{"B", {"B"}, " "});
    CHECK(at("listen c") == Completion{"c", {"control"}, " "});
    CHECK(at("showclient A A-") == Completion{"A-", {"A-1", "A-2"}, " "});
    CHECK(at("node w") == Completion{"w", {"web-1"}, " "});
    CHECK(at("nodes ") == Completion{"", {"db", "eu", "web-1"}, " "});
    CHECK(at("showchannel A ").candidates.empty());
    CHECK(at("emit B ").candidates.empty());
    CHECK(at("listen B p").candidates.empty());
    CHECK(at("stats ").candidates.empty());
    CHECK(at("emit B e ").candidates.empty());
}

TEST_CASE("words that the table gives to choose from are offered") {
    CHECK(at("keys ") == Completion{"", {"add", "list", "remove", "use"}, " "});
    CHECK(at("keys re") == Completion{"re", {"remove"}, " "});
    CHECK(at("keys add ").candidates.empty());
}

TEST_CASE("values of options are offered, and are not taken for arguments") {
    CHECK(at("call --pick l") == Completion{"l", {"last", "leastLoaded", "leastMemory"}, " "});
    CHECK(at("call -pick ra") == Completion{"ra", {"random"}, " "});
    CHECK(at("call --target ") == Completion{"", {"db", "eu", "web-1"}, " "});
    CHECK(at("call -target db -channel A") == Completion{"A", {"Alpha", "Axe"}, " "});
    CHECK(at("call --fn ").candidates.empty());
    CHECK(at("call --no-answer ").candidates.empty());
    CHECK(at("call --no-answer --p") == Completion{"--p", {"--pick"}, " "});
    CHECK(at("listen -C 3 c") == Completion{"c", {"control"}, " "});
    CHECK(at("showclient --timeout 3 A A-") == Completion{"A-", {"A-1", "A-2"}, " "});
}

TEST_CASE("the call form is completed as well, and closed") {
    CHECK(at("showchannel(\"Al") == Completion{"Al", {"Alpha"}, "\""});
    CHECK(at("showchannel('Al") == Completion{"Al", {"Alpha"}, "'"});
    CHECK(at("showchannel(Al") == Completion{"Al", {"Alpha"}, ""});
    CHECK(at("showclient(\"A\", \"A-1") == Completion{"A-1", {"A-1"}, "\""});
}

TEST_CASE("options of the command are offered") {
    CHECK(at("emit --b") == Completion{"--b", {"--broadcast"}, " "});
    CHECK(at("listen A --") ==
          Completion{"--", {"--count", "--help", "--json", "--timeout", "--wait"}, " "});
}

TEST_CASE("what all have in common") {
    CHECK(commonBeginning({}) == "");
    CHECK(commonBeginning({"stats"}) == "stats");
    CHECK(commonBeginning({"showchannel", "showclient", "showconfig"}) == "showc");
    CHECK(commonBeginning({"a", ""}) == "");
}

}  // namespace
}  // namespace netcluster::ctl
