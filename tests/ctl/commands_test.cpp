#include "commands.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "arguments.hpp"
#include "control_client.hpp"
#include "emit.hpp"
#include "help.hpp"

namespace netcluster::ctl {
namespace {

/// Runs commands that need no daemon.
struct Desk {
    ControlClient control{"nowhere"};
    std::ostringstream out, err;
    Context context{control, out, err, "nowhere"};

    Status run(const std::vector<std::string>& words) { return runWords(words, context).status; }
};

TEST_CASE("every command explains itself and can be run") {
    for (const auto& command : commands()) {
        CAPTURE(command.name);
        CHECK_FALSE(command.summary.empty());
        CHECK(command.summary.back() != '.');
        CHECK(command.help.ends_with('.'));
        CHECK((command.run != nullptr));
        CHECK(helpText(command).find(command.name) == 0);
        CHECK(helpText(true).find(command.name) != std::string::npos);
    }
}

TEST_CASE("no two commands share a name, no two options of a command either") {
    std::set<std::string_view> names;
    for (const auto& command : commands()) {
        CHECK(names.insert(command.name).second);
        for (const auto alias : command.aliases) CHECK(names.insert(alias).second);

        std::set<std::string_view> options;
        const auto add = [&options](const Option& option) {
            CHECK(options.insert(option.name).second);
            if (!option.brief.empty()) CHECK(options.insert(option.brief).second);
            CHECK_FALSE(option.summary.empty());
        };
        for (const auto& option : commonOptions()) add(option);
        for (const auto& option : command.options) add(option);
    }
}

TEST_CASE("the names of 1.x are there") {
    for (const auto* name :
         {"showconfig", "reloadconfig", "reloaconfig", "showchannel", "showclient"}) {
        CHECK(findCommand(name) != nullptr);
    }
    CHECK(findCommand("reloaconfig") == findCommand("reloadconfig"));
    CHECK(findCommand("exit") == findCommand("quit"));
    CHECK(findCommand("showconf") == nullptr);
}

TEST_CASE("help lines fit an 80 column terminal") {
    for (const auto& command : commands()) {
        std::istringstream lines(helpText(command) + helpText(true) + helpText(false));
        for (std::string line; std::getline(lines, line);)
            CHECK(line.size() <= 84);  // … is 3 bytes
    }
}

TEST_CASE("help and version go to stdout and are no failure") {
    Desk desk;
    CHECK(desk.run({"--help"}) == Status::done);
    CHECK(desk.out.str() == helpText(false));
    desk.out.str("");
    CHECK(desk.run({"listen", "--help"}) == Status::done);
    CHECK(desk.out.str() == helpText(*findCommand("listen")));
    desk.out.str("");
    CHECK(desk.run({"help", "listen"}) == Status::done);
    CHECK(desk.out.str() == helpText(*findCommand("listen")));
    desk.out.str("");
    CHECK(desk.run({"--version"}) == Status::done);
    CHECK(desk.out.str().starts_with("ncctl "));
    CHECK(desk.err.str() == "");
}

TEST_CASE("help as JSON is one value that holds the whole table") {
    Desk desk;
    CHECK(desk.run({"help", "--json"}) == Status::done);
    const auto list = Json::parse(desk.out.str());
    CHECK(list.size() == commands().size());
    CHECK(list[0]["name"] == commands()[0].name);
}

TEST_CASE("a shell is told what may come next, and nothing else") {
    Desk desk;
    CHECK(desk.run({"complete", "showc"}) == Status::done);
    CHECK(desk.out.str() == "showchannel\nshowclient\nshowconfig\n");
    desk.out.str("");
    CHECK(desk.run({"complete", "keys re", "--json"}) == Status::done);
    CHECK(Json::parse(desk.out.str()) == Json{"remove"});
    desk.out.str("");
    // No daemon answers here.
    CHECK(desk.run({"complete", "showchannel "}) == Status::done);
    CHECK(desk.out.str() + desk.err.str() == "");
}

TEST_CASE("a usage error is a sentence on stderr and, with --json, an object on stdout") {
    Desk desk;
    CHECK(desk.run({"bogus\x1b"}) == Status::usage);
    CHECK(desk.out.str() == "");
    CHECK(desk.err.str() == "ncctl: there is no command `bogus\\u001b`; `help` lists them\n");

    CHECK(desk.run({"quit", "--json"}) == Status::usage);
    CHECK(Json::parse(desk.out.str()) == Json{{"error", "quit is for the prompt"}});
    CHECK(desk.err.str().ends_with("ncctl: quit is for the prompt\n"));
}

TEST_CASE("values of options are checked before anything is done") {
    Desk desk;
    CHECK(desk.run({"--timeout", "soon", "stats"}) == Status::usage);
    CHECK(desk.run({"listen", "A", "-C", "0"}) == Status::usage);
    CHECK(desk.run({"listen", "A", "-W", "x"}) == Status::usage);
    CHECK(desk.run({"emit", "A", "e", "{a:1}"}) == Status::usage);
    CHECK(desk.err.str().find("line 1, column 2") != std::string::npos);
}

TEST_CASE("data is any JSON value") {
    CHECK(parseData("[1,2]").value == Json{1, 2});
    CHECK(parseData("\"text\"").value == "text");
    CHECK(parseData(" null\n").error == "");
    for (const auto* text : {"", "text", "{\"a\":}", "1 2", "1e999", "\"\xff\""}) {
        CAPTURE(text);
        CHECK_FALSE(parseData(text).error.empty());
        CHECK(parseData(text).error.find("json.exception") == std::string::npos);
    }
}

}  // namespace
}  // namespace netcluster::ctl
