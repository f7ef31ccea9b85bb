#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "fill.hpp"
#include "keys.hpp"
#include "program.hpp"
#include "roff.hpp"
#include "shells.hpp"

namespace netcluster::manual {
namespace {

/// A file that the build has made.
std::string made(const std::string& name) {
    std::ifstream file(NETCLUSTER_MANUAL_DIR "/" + name);
    REQUIRE_MESSAGE(file.good(), name);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::vector<Option> allOptions(const Program& program) {
    std::vector<Option> options = program.options;
    for (const Command& command : program.commands) {
        options.insert(options.end(), command.options.begin(), command.options.end());
    }
    return options;
}

TEST_CASE("the programs' tables are read whole") {
    const Program daemon = ncserver();
    CHECK(daemon.name == "ncserver");
    CHECK(daemon.arguments.size() == 1);
    const auto level = std::find_if(daemon.options.begin(), daemon.options.end(),
                                    [](const Option& o) { return o.name == "--log-level"; });
    REQUIRE(level != daemon.options.end());
    CHECK(level->argument == "LEVEL");
    CHECK(level->choices ==
          std::vector<std::string>{"trace", "debug", "info", "warn", "error", "off"});

    const Program tool = ncctl();
    const auto keys = std::find_if(tool.commands.begin(), tool.commands.end(),
                                   [](const Command& c) { return c.name == "keys"; });
    REQUIRE(keys != tool.commands.end());
    CHECK(keys->arguments.front().choices ==
          std::vector<std::string>{"list", "add", "use", "remove"});
    CHECK(keys->arguments.back().optional);
    const auto listen = std::find_if(tool.commands.begin(), tool.commands.end(),
                                     [](const Command& c) { return c.name == "listen"; });
    REQUIRE(listen != tool.commands.end());
    CHECK(listen->arguments.back().repeated);
    CHECK(listen->arguments.back().name == "PATTERN");
}

TEST_CASE("every command is in ncctl(1) and offered by each shell") {
    const std::string page = made("ncctl.1");
    const std::string bash = made("ncctl.bash"), zsh = made("_ncctl"), fish = made("ncctl.fish");
    for (const Command& command : ncctl().commands) {
        CAPTURE(command.name);
        CHECK(contains(page, ".TP\n" + bold(command.name)));
        CHECK(contains(page, roffText(command.help)));
        for (const auto& alias : command.aliases) CHECK(contains(page, bold(alias)));
        CHECK(contains(bash, command.name));
        CHECK(contains(zsh, "'" + command.name + ":"));
        CHECK(contains(fish, " -xa " + command.name + " "));
    }
}

TEST_CASE("every option is in its program's page and offered by each shell") {
    for (const Program& program : {ncserver(), ncctl(), ncworker()}) {
        const std::string page = made(program.name + (program.name == "ncserver" ? ".8" : ".1"));
        const std::string bash = made(program.name + ".bash"), zsh = made("_" + program.name),
                          fish = made(program.name + ".fish");
        for (const Option& option : allOptions(program)) {
            CAPTURE(program.name);
            CAPTURE(option.name);
            CHECK(contains(page, bold(option.name)));
            CHECK(contains(page, roffText(option.summary)));
            CHECK(contains(bash, option.name));
            CHECK(contains(zsh, option.name));
            CHECK(contains(fish, " -l " + option.name.substr(2) + " "));
            if (!option.brief.empty()) CHECK(contains(page, bold(option.brief)));
        }
    }
}

TEST_CASE("every key that the parser knows is in netcluster.json(5)") {
    const std::string page = made("netcluster.json.5");
    const auto channelPart = page.find("KEYS OF A CHANNEL");
    REQUIRE(channelPart != std::string::npos);
    for (const auto key : config::documentKeyNames()) {
        CAPTURE(key);
        CHECK(contains(page.substr(0, channelPart), ".TP\n" + bold(key) + ": "));
    }
    for (const auto key : config::channelKeyNames()) {
        CAPTURE(key);
        CHECK(contains(page.substr(channelPart), ".TP\n" + bold(key) + ": "));
    }
}

TEST_CASE("text stands for itself in a page") {
    CHECK(roffText(".TH \\ --json 'a' [PATTERN…]") ==
          "\\&.TH \\e \\-\\-json \\(aqa\\(aq [PATTERN...]");
}

TEST_CASE("a quote in a summary does not end the word of a shell") {
    const Program program{.name = "p", .options = {{"--dir", "", "DIR", "the daemon's [own]"}}};
    CHECK(zshPieces(program)["COMMON"] ==
          "    '--dir=[the daemon'\\''s \\[own\\]]:DIR:_directories'\n");
    CHECK(contains(fishPieces(program)["COMMON"], "'the daemon'\\''s [own]'"));
}

TEST_CASE("a template takes each piece, and all of them") {
    CHECK(filled("a @X@ b\n@L@\nend\n", {{"X", "1\n"}, {"L", "l1\nl2\n"}}) ==
          "a 1 b\nl1\nl2\nend\n");
    CHECK(filled("@L@\nend\n", {{"L", ""}}) == "end\n");
    CHECK_THROWS_AS(filled("@X@\n", {}), std::runtime_error);
    CHECK_THROWS_AS(filled("x\n", {{"X", ""}}), std::runtime_error);
}

}  // namespace
}  // namespace netcluster::manual
