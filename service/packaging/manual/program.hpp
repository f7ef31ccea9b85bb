// A program as its manual page and completions need it, read from the tables that the program
// itself parses its command line by: CLI11's for ncserver and ncworker, ctl/commands.hpp for ncctl.
// Pure.
#pragma once

#include <string>
#include <vector>

namespace netcluster::manual {

struct Option {
    std::string name;      ///< "--count"
    std::string brief;     ///< "-C", or empty
    std::string argument;  ///< "COUNT": what its value is; empty for a switch
    std::string summary{};
    std::vector<std::string> choices{};  ///< the words that the value may be; empty for any
};

/// One word after a command, or after ncserver: "CHANNEL", "PATTERN", "list|add".
struct Argument {
    std::string name{};
    std::vector<std::string> choices{};
    bool optional = false;
    bool repeated = false;
};

struct Command {
    std::string name{};
    std::vector<std::string> aliases{};
    std::vector<Argument> arguments{};
    std::string usage{};    ///< the whole line, "listen [-C COUNT] CHANNEL [PATTERN…]"
    std::string summary{};  ///< one line
    std::string help{};     ///< whole sentences
    std::vector<Option> options{};
};

struct Program {
    std::string name{};
    std::string summary{};
    std::vector<Option> options{};
    std::vector<Argument> arguments{};  ///< of a program without commands
    std::vector<Command> commands{};    ///< those of the command line, not of the prompt alone
};

Program ncserver();
Program ncctl();
Program ncworker();

}  // namespace netcluster::manual
