#include "prompt.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "control_client.hpp"
#include "help.hpp"

namespace netcluster::ctl {
namespace {

/// Runs lines that need no daemon.
struct Script {
    ControlClient control{"nowhere"};
    std::ostringstream out, err;
    Context context{control, out, err, "nowhere"};

    Status run(const std::string& text) {
        std::istringstream input(text);
        StreamLines lines(input);
        return runLines(lines, context);
    }
};

TEST_CASE("lines run one after the other, without prompt text") {
    Script script;
    CHECK(script.run("# about\n\nhelp quit\nhelp(\"emit\");\n") == Status::done);
    CHECK(script.out.str() == helpText(*findCommand("quit")) + helpText(*findCommand("emit")));
    CHECK(script.err.str() == "");
}

TEST_CASE("a line that fails does not end the others, but the status tells") {
    Script script;
    CHECK(script.run("bogus\nhelp quit") == Status::usage);
    CHECK(script.out.str() == helpText(*findCommand("quit")));
    CHECK(script.err.str() == "ncctl: there is no command `bogus`; `help` lists them\n");
}

TEST_CASE("quit ends, whatever follows") {
    Script script;
    CHECK(script.run("quit\nbogus\n") == Status::done);
    CHECK(script.err.str() == "");
    CHECK(Script().run("exit()\nbogus\n") == Status::done);
}

TEST_CASE("--json holds for its line only") {
    Script script;
    CHECK(script.run("help quit --json\nhelp quit\n") == Status::done);
    CHECK(script.out.str().starts_with('{'));
    CHECK(script.out.str().ends_with(helpText(*findCommand("quit"))));
}

TEST_CASE("what only makes sense on the command line is refused") {
    Script script;
    CHECK(script.run("--dir /elsewhere stats") == Status::usage);
    CHECK(script.run("emit A e -") == Status::usage);
    CHECK(script.run("emit 'A") == Status::usage);
}

TEST_CASE("the prompt says where one is") {
    CHECK(promptText(true, "/run/netcluster") == "nc [/run/netcluster]> ");
    CHECK(promptText(true, "") == "nc> ");
    CHECK(promptText(false, "/run/netcluster") == "nc [not connected]> ");
}

}  // namespace
}  // namespace netcluster::ctl
