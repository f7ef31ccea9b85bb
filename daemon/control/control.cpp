#include "control.hpp"

#include <array>
#include <netcluster/control.hpp>
#include <optional>

#include "dump.hpp"
#include "log.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;

struct Request {
    json data;
    std::string_view text;  // of the data, as it was sent
};

json showConfig(Administration& daemon, const Request&) {
    return daemon.showConfig();
}

json reloadConfig(Administration& daemon, const Request& request) {
    if (request.data.is_object()) return daemon.reloadText(request.text);
    if (request.data.is_null()) return daemon.reloadFile("");
    if (request.data.is_string()) return daemon.reloadFile(request.data.get<std::string>());
    throw Error("reloadconfig takes a path, a configuration, or nothing");
}

json keys(Administration& daemon, const Request& request) {
    const std::string usage =
        R"(keys takes {"do": "list"|"add"|"use"|"remove", "id": 1 to 65535, "key": base64})";
    const auto member = [&](const char* name) {
        return request.data.is_object() ? request.data.value(name, json()) : json();
    };
    const json what = member("do");
    if (what == "list") return daemon.listKeys();
    const json id = member("id");
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() - 1 >= 65535) throw Error(usage);
    const auto number = id.get<std::uint16_t>();
    if (what == "use") return daemon.useKey(number);
    if (what == "remove") return daemon.removeKey(number);
    const json key = member("key");
    if (what != "add" || !key.is_string()) throw Error(usage);
    return daemon.addKey(number, key.get_ref<const std::string&>());
}

json showChannel(Administration& daemon, const Request& request) {
    if (!request.data.is_string()) throw Error("showchannel takes the name of a channel");
    return daemon.showChannel(request.data.get<std::string>());
}

json showClient(Administration& daemon, const Request& request) {
    const auto text = [&](const char* key) {
        if (!request.data.is_object() || !request.data.contains(key) ||
            !request.data[key].is_string()) {
            throw Error("showclient takes {\"channel\": name, \"client\": uuid}");
        }
        return request.data[key].get<std::string>();
    };
    return daemon.showClient(text("channel"), text("client"));
}

json stats(Administration& daemon, const Request&) {
    return daemon.stats();
}

json hosts(Administration& daemon, const Request&) {
    return daemon.hosts();
}

json nodes(Administration& daemon, const Request& request) {
    if (request.data.is_null()) return daemon.nodes("");
    if (!request.data.is_string()) throw Error("nodes takes a target, or nothing");
    const auto& target = request.data.get_ref<const std::string&>();
    if (target.empty()) throw Error("an empty target means no nodes; none at all means all nodes");
    return daemon.nodes(target);
}

json node(Administration& daemon, const Request& request) {
    if (!request.data.is_string()) throw Error("node takes the id of a node");
    return daemon.node(request.data.get<std::string>());
}

void doctor(Administration& daemon, const Request& request, Administration::Reply reply) {
    std::chrono::milliseconds wait{1000};
    if (request.data.is_object() && request.data.contains("wait")) {
        const json& given = request.data["wait"];
        constexpr std::int64_t longest = 60'000;
        if (!given.is_number_unsigned() || given.get<std::uint64_t>() > longest) {
            throw Error("doctor takes {\"wait\": milliseconds}, 60000 at most");
        }
        wait = std::chrono::milliseconds(given.get<std::int64_t>());
    } else if (!request.data.is_null() && !request.data.is_object()) {
        throw Error("doctor takes {\"wait\": milliseconds}, or nothing");
    }
    daemon.doctor(wait, std::move(reply));
}

/// Answered at once by `run`, or later by what `start` begins.
struct Command {
    std::string_view name;
    json (*run)(Administration&, const Request&) = nullptr;
    void (*start)(Administration&, const Request&, Administration::Reply) = nullptr;
};
constexpr std::array<Command, 10> commands{{{control::showConfig, showConfig},
                                            {control::reloadConfig, reloadConfig},
                                            {control::keys, keys},
                                            {control::showChannel, showChannel},
                                            {control::showClient, showClient},
                                            {control::stats, stats},
                                            {control::hosts, hosts},
                                            {control::nodes, nodes},
                                            {control::node, node},
                                            {control::doctor, nullptr, doctor}}};

Request requestIn(const wire::EventView& event) {
    Request request{nullptr, event.payload};
    if (event.bytes()) throw Error("the data of a request is JSON, not bytes");
    if (!event.payload.empty()) request.data = json::parse(event.payload);
    return request;
}

/// The answer; none when it comes later, through `reply`.
std::optional<json> answer(Administration& daemon, const Command& command,
                           const wire::EventView& event, Administration::Reply reply) {
    try {
        const Request request = requestIn(event);
        if (command.run) return command.run(daemon, request);
        command.start(daemon, request, std::move(reply));
        return {};
    } catch (const ConfigRefused& refused) {
        return json{{"error", refused.what()}, {"problems", refused.problems}};
    } catch (const std::exception& error) {
        return json{{"error", error.what()}};
    }
}

}  // namespace

std::size_t Control::onEvents(Source& source, const wire::EventRun& events) {
    wire::forEachFrame(events.frames,
                       [&](std::string_view frame) { onRequest(source, events.event(frame)); });
    return events.count;
}

void Control::onRequest(Source& source, const wire::EventView& event) {
    std::string_view name = event.name;
    if (name.starts_with(control::prefix)) {
        name.remove_prefix(control::prefix.size());
        for (const Command& command : commands) {
            if (command.name != name) continue;
            const auto now = answer(administration_, command, event, replyLater(source, event));
            if (now) source.reply(control::responseEvent(name), jsonText(*now), event.id);
            return;
        }
    }
    const json error{{"error", "\"" + std::string(event.name) +
                                   "\" is not a request; control takes " +
                                   "nc-control-<command> only"}};
    source.reply("nc-control-error", jsonText(error), event.id);
}

// The asker may be gone by then.
Administration::Reply Control::replyLater(Source& source, const wire::EventView& event) const {
    return
        [this, asker = std::weak_ptr(std::static_pointer_cast<Source>(source.shared_from_this())),
         response = std::string(event.name) + std::string(control::responseSuffix),
         id = std::string(event.id)](const json& data) {
            const auto alive = asker.lock();
            if (!alive) return;
            alive->reply(response, jsonText(data), id);
            turns_.endTurn();
        };
}

}  // namespace netcluster::daemon
