#include "commands.hpp"

#include <algorithm>
#include <filesystem>
#include <netcluster/control.hpp>
#include <netcluster/error.hpp>

#include "arguments.hpp"
#include "call.hpp"
#include "completion.hpp"
#include "control_client.hpp"
#include "doctor.hpp"
#include "emit.hpp"
#include "format.hpp"
#include "help.hpp"
#include "hosts.hpp"
#include "keys.hpp"
#include "listen.hpp"
#include "live_names.hpp"
#include "nodes.hpp"
#include "path_text.hpp"

namespace netcluster::ctl {
namespace {

// -- commands that are a question to the daemon --------------------------------------------------

Status ask(Context& context, std::string_view command, const Json& data,
           std::string (*text)(const Json&)) {
    const auto reply = context.control.ask(command, data, context.patience);
    switch (reply.outcome) {
        case Answer::Outcome::answered:
            return answer(context, reply.data, text(reply.data));
        case Answer::Outcome::refused:
        case Answer::Outcome::unreachable:
            return failWith(context, Status::failed, reply.data);
        case Answer::Outcome::deadline:
            return failWith(context, Status::deadline, reply.data);
    }
    return Status::failed;
}

Status showConfig(const Call&, Context& context) {
    return ask(context, control::showConfig, nullptr, configText);
}

/// The daemon opens the file, and it stands in another directory than we do.
Status reloadConfig(const Call& call, Context& context) {
    Json path;
    if (!call.arguments.empty()) {
        std::error_code error;
        const auto absolute =
            std::filesystem::absolute(config::pathFromText(call.arguments[0]), error);
        if (error) return fail(context, Status::usage, call.arguments[0] + ": " + error.message());
        path = config::textOfPath(absolute);
    }
    return ask(context, control::reloadConfig, path, reloadText);
}

Status showChannel(const Call& call, Context& context) {
    return ask(context, control::showChannel, call.arguments[0], channelText);
}

Status showClient(const Call& call, Context& context) {
    const Json client{{"channel", call.arguments[0]}, {"client", call.arguments[1]}};
    return ask(context, control::showClient, client, clientText);
}

Status stats(const Call&, Context& context) {
    return ask(context, control::stats, nullptr, statsText);
}

Status hosts(const Call&, Context& context) {
    return ask(context, control::hosts, nullptr, hostsText);
}

Status nodes(const Call& call, Context& context) {
    const Json target = call.arguments.empty() ? Json() : Json(call.arguments[0]);
    return ask(context, control::nodes, target, nodesText);
}

Status node(const Call& call, Context& context) {
    return ask(context, control::node, call.arguments[0], nodeText);
}

Status keys(const Call& call, Context& context) {
    const auto request = keysRequest(call, context.atPrompt);
    if (!request.error.empty()) return fail(context, Status::usage, request.error);
    return ask(context, control::keys, request.value, keysText);
}

// -- commands about ncctl itself -----------------------------------------------------------------

Json optionsJson(std::span<const Option> options) {
    Json list = Json::array();
    for (const auto& option : options) {
        list.push_back({{"name", option.name},
                        {"brief", option.brief},
                        {"argument", option.argument},
                        {"summary", option.summary}});
    }
    return list;
}

Json commandJson(const Command& command) {
    return {{"name", command.name},        {"aliases", command.aliases},
            {"usage", usageLine(command)}, {"summary", command.summary},
            {"help", command.help},        {"options", optionsJson(command.options)}};
}

Status help(const Call& call, Context& context) {
    if (call.arguments.empty()) {
        Json list = Json::array();
        for (const auto& command : commands()) list.push_back(commandJson(command));
        return answer(context, list, helpText(context.atPrompt));
    }
    const auto* command = findCommand(call.arguments[0]);
    if (command == nullptr) {
        return fail(context, Status::usage, "there is no command `" + call.arguments[0] + '`');
    }
    return answer(context, commandJson(*command), helpText(*command));
}

/// What completion offers goes to a shell, so nothing is said when there is no daemon.
Status completeCommand(const Call& call, Context& context) {
    const auto completion = complete(call.arguments[0], liveNames(context.control));
    std::string lines;
    for (const auto& word : completion.candidates) lines += word + '\n';
    return answer(context, completion.candidates, lines);
}

Status quit(const Call&, Context& context) {
    context.quit = true;
    return Status::done;
}

// -- the table -----------------------------------------------------------------------------------

const std::vector<Command>& table() {
    static const std::vector<Command> rows{
        {
            .name = "showconfig",
            .summary = "show the configuration in force",
            .help = "Shows every key of the configuration in force, as config.json spells it.",
            .run = showConfig,
        },
        {
            .name = "reloadconfig",
            .aliases = {"reloaconfig"},
            .arguments = "[PATH]",
            .summary = "read the configuration again",
            .help = "Makes the daemon read PATH, or without PATH the file in force again, and "
                    "apply it. Either all of it is applied or, with every problem listed, "
                    "nothing. Lists each key changed: ~ was changed, + is new, - is gone. Clients "
                    "of channels that remain stay connected.",
            .run = reloadConfig,
        },
        {
            .name = "showchannel",
            .arguments = "CHANNEL",
            .summary = "show a channel's rules, counters and clients",
            .help = "Shows where the channel's socket is, its rules, the channels its events go "
                    "to, what it has received, delivered, dropped and refused, and who is "
                    "connected.",
            .run = showChannel,
        },
        {
            .name = "showclient",
            .arguments = "CHANNEL UUID",
            .summary = "show one client of a channel",
            .help = "Shows who the client is, what it listens to, and how well it keeps up. "
                    "showchannel lists the UUIDs.",
            .run = showClient,
        },
        {
            .name = "stats",
            .summary = "show the daemon's counters",
            .help = "Shows the daemon's version, uptime and files, the counters of each channel "
                    "and those of the link to other hosts.",
            .run = stats,
        },
        {
            .name = "hosts",
            .summary = "show the hosts of the link",
            .help = "Shows each host that the link knows of, this one first: whether it is there "
                    "and hears us, where it is, what it runs, how long its link is open, when it "
                    "was last heard, its load, memory, clients and channels, and how often "
                    "something of it never arrived. --json has more.",
            .run = hosts,
        },
        {
            .name = "nodes",
            .arguments = "[TARGET]",
            .summary = "show the nodes of all hosts",
            .help = "Shows each node, or those that TARGET means, as for call: its id, host, "
                    "regions and services, how long it has been registered, and how it says it is "
                    "doing: its load (busy processors), memory, tasks under way and done, uptime "
                    "and version. --json has more.",
            .run = nodes,
        },
        {
            .name = "node",
            .arguments = "NODE",
            .summary = "show one node",
            .help = "Shows all that is known of the node with the id NODE. Ends with status 1 when "
                    "there is none.",
            .run = node,
        },
        {
            .name = "doctor",
            .summary = "find out why hosts do not hear each other",
            .help = "Looks at the configuration, interfaces, memberships, socket buffers, peers "
                    "and keys, asks each known host for an answer, and says what is wrong and what "
                    "to do about it. Ends with status 0 when there is nothing worse than a note, "
                    "else with 1.",
            .options = {{"--wait", "-W", "SECONDS", "wait this long for other hosts (default 1)"}},
            .run = doctorCommand,
        },
        {
            .name = "keys",
            .arguments = "list|add|use|remove [ID] [FILE]",
            .summary = "list or change the keys of the link",
            .help = "list shows the id of each key, whether it is sent with (tx) or only received "
                    "with (rx), and how many datagrams it has opened. add ID reads a key in base64 "
                    "from FILE, else from stdin, and receives with it. use ID sends with it from "
                    "now on. remove ID forgets it. Each change is written to the key file. To "
                    "change the key of all hosts: add it on each, then use it on each, then "
                    "remove the former on each.",
            .run = keys,
        },
        {
            .name = "genkey",
            .summary = "make a key for the link",
            .help = "Prints 32 random bytes in base64, for keys add, or makes a key file for "
                    "netkeyfile, with this one key, that only its owner can read. A file that "
                    "exists is not overwritten. Needs no daemon.",
            .options = {{"--file", "", "PATH", "make this key file and print nothing secret"},
                        {"--id", "", "ID", "of the key in that file (default 1)"}},
            .run = genkeyCommand,
        },
        {
            .name = "emit",
            .arguments = "CHANNEL EVENT [JSON|-]",
            .summary = "emit an event",
            .help = "Emits EVENT with the data given, or null, on CHANNEL, and ends when the "
                    "daemon has taken it. With - the data is read from stdin. At the prompt write "
                    "JSON in single quotes.",
            .options = {{"--broadcast", "", "", "to every channel and every host that allows it"}},
            .run = emitCommand,
        },
        {
            .name = "listen",
            .arguments = "CHANNEL [PATTERN…]",
            .summary = "print events as they come",
            .help = "Prints one line for each event whose whole name matches a PATTERN (a regular "
                    "expression, RE2 syntax; none: every event): the name and the data or, with "
                    "--json, an object with event, data, channel, emmiteruuid and broadcast. "
                    "Events that were lost are told on stderr. Ends with status 0 on SIGINT or "
                    "SIGTERM.",
            .options = {{"--count", "-C", "COUNT", "end with status 0 after this many events"},
                        {"--wait", "-W", "SECONDS", "end with status 124 after this time"}},
            .run = listenCommand,
        },
        {
            .name = "call",
            .summary = "have nodes do a task",
            .help =
                "Asks every node that the target means to do the task NAME: the nodes or "
                "regions a:b, or an expression as 'region=eu & !service=smtp'. Prints a line "
                "for each answer as it comes and, on stderr, how many succeeded. Ends with status "
                "0 when all succeeded, 124 when an answer did not come before --timeout, else 1. "
                "With --json an object for each answer: node, host, outcome, milliseconds, and "
                "result or error; and one at the end: asked, milliseconds, how many had each "
                "outcome (success, failed, unknown function, unknown node, lost, timeout, refused) "
                "and, when asked is 0, error. --pick asks one: the first or last by id, random, "
                "leastLoaded, leastMemory or, with --key, sticky. roundRobin takes turns among the "
                "calls of one program: each ncctl is a new one, and asks the first. "
                "Options may have one dash, as in Gleam: -target a:b -fn NAME -data JSON.",
            .options = {{"--target", "", "TARGET", "who is to do it", "", true},
                        {"--fn", "", "NAME", "the function", "", true},
                        {"--data", "", "JSON", "what it is given (default null); - reads stdin"},
                        {"--channel", "", "CHANNEL", "where (default $NETCLUSTER_CHANNEL, else A)"},
                        {"--pick", "", "HOW", "ask one of them only", pickChoices},
                        {"--key", "", "TEXT",
                         "ask one, the same for the same text (--pick sticky)"},
                        {"--no-answer", "", "", "do not wait for answers"}},
            .run = callCommand,
        },
        {
            .name = "help",
            .arguments = "[COMMAND]",
            .summary = "list the commands, or explain one",
            .help = "Lists the commands, or explains one. With --json also in full.",
            .run = help,
        },
        {
            .name = "complete",
            .arguments = "LINE",
            .summary = "print what may come next; shells ask it",
            .help = "Prints, one word on a line, what may stand at the end of LINE, a command "
                    "line without ncctl and its options, among them the names of channels and "
                    "clients that the daemon knows right now. For the completions of bash, zsh "
                    "and fish.",
            .run = completeCommand,
        },
        {
            .name = "quit",
            .aliases = {"exit"},
            .summary = "leave the prompt",
            .help = "Leaves the prompt. So does Ctrl-D.",
            .run = quit,
            .promptOnly = true,
        },
    };
    return rows;
}

// -- running -------------------------------------------------------------------------------------

Status run(const Parsed& parsed, Context& context) {
    const auto optionError = applyOptions(parsed.call, context);
    if (!parsed.error.empty()) return fail(context, Status::usage, parsed.error);
    if (!optionError.empty()) return fail(context, Status::usage, optionError);
    if (parsed.call.has("--version")) {
        return answer(context, NETCLUSTER_VERSION, "ncctl " NETCLUSTER_VERSION "\n");
    }
    if (parsed.call.has("--help") || parsed.command == nullptr) {
        Call about;
        if (parsed.command != nullptr) about.arguments = {std::string(parsed.command->name)};
        return help(about, context);
    }
    if (parsed.command->promptOnly && !context.atPrompt) {
        return fail(context, Status::usage,
                    std::string(parsed.command->name) + " is for the prompt");
    }
    return parsed.command->run(parsed.call, context);
}

}  // namespace

std::span<const Command> commands() {
    return table();
}

const Command* findCommand(std::string_view name) {
    for (const auto& command : table()) {
        const auto& aliases = command.aliases;
        const bool isAlias = std::find(aliases.begin(), aliases.end(), name) != aliases.end();
        if (command.name == name || isAlias) return &command;
    }
    return nullptr;
}

Ran runWords(const std::vector<std::string>& words, Context context) {
    const auto parsed = parseWords(words);
    try {
        const auto status = run(parsed, context);
        return {status, context.quit};
    } catch (const Error& error) {
        return {fail(context, Status::failed, error.what()), false};
    }
}

std::string applyOptions(const Call& call, Context& context) {
    if (call.has("--json")) context.json = true;
    if (call.has("--dir") && context.atPrompt) return "--dir is for the command line";
    if (!call.has("--timeout")) return {};
    const auto timeout = parseSeconds(call.value("--timeout"));
    if (!timeout) return "--timeout needs a number of seconds" + std::string(secondsTaken);
    context.patience = {*timeout, *timeout};
    return {};
}

}  // namespace netcluster::ctl
