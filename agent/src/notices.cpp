#include "notices.hpp"

#include <netcluster/control.hpp>
#include <netcluster/event.hpp>

#include "json_members.hpp"
#include "node_codec.hpp"

namespace netcluster {
namespace {

std::uint64_t numberIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Json objectIn(std::string_view json) {
    Json value = Json::parse(json, nullptr, false);
    return value.is_object() ? value : Json::object();
}

// A word of a later daemon is a loss like any other.
Gap::Why whyOf(std::string_view word) {
    if (word == "gone") return Gap::Why::gone;
    if (word == "dropped") return Gap::Why::dropped;
    if (word == "reset") return Gap::Why::reset;
    return Gap::Why::lost;
}

Change takeHost(KnownById& hosts, std::string_view event, const Json& data) {
    Change change{Change::What::host, textIn(data, "id")};
    if (change.id.empty()) return {};
    if (event == control::hostExpired) {
        hosts.erase(change.id);
        change.why = textIn(data, "why");
        return change;
    }
    Presence online;
    online.id = change.id;
    online.name = textIn(data, "name");
    online.address = textIn(data, "address");
    online.version = textIn(data, "version");
    hosts[change.id] = {std::make_shared<const Presence>(std::move(online)),
                        textIn(data, "session")};
    return change;
}

Change takeNode(KnownById& nodes, std::string_view event, const Json& data) {
    Change change{Change::What::node, textIn(data, "id")};
    if (change.id.empty()) return {};
    if (event == control::nodeExpired) {
        nodes.erase(change.id);
        change.why = textIn(data, "why");
        return change;
    }
    Presence online;
    online.kind = Presence::Kind::nodeOnline;
    online.node = readNode(data);
    online.id = change.id;
    online.name = online.node.host;
    std::string session = online.node.hostId + ' ' + std::to_string(online.node.since);
    Known& known = nodes[change.id];
    if (known.session == session) {  // what it does not say again
        online.node.own = known.presence->node.own;
        if (online.node.stats.empty()) online.node.stats = known.presence->node.stats;
    }
    known = {std::make_shared<const Presence>(std::move(online)), std::move(session)};
    return change;
}

// Nobody is told of it: whoever wants to know asks.
Change takeStats(KnownById& nodes, const Json& data) {
    for (const auto& [id, stats] : data.items()) {
        const auto known = nodes.find(id);
        if (known == nodes.end() || !stats.is_object()) continue;
        auto online = std::make_shared<Presence>(*known->second.presence);
        online->node.stats = stats;
        known->second.presence = std::move(online);
    }
    return {};
}

}  // namespace

bool isNotice(std::string_view event) {
    return event == control::hostOnline || event == control::hostExpired ||
           event == control::hostsKnown || event == control::netGap ||
           event == control::nodeOnline || event == control::nodeChanged ||
           event == control::nodeExpired || event == control::nodeStats;
}

bool isAnswer(std::string_view event) {
    if (!event.ends_with(control::responseSuffix)) return false;
    event.remove_suffix(control::responseSuffix.size());
    return event == control::registerNode || event == control::unregisterNode;
}

Change takeNotice(Around& around, std::string_view event, std::string_view json) {
    if (event == control::hostsKnown) {
        around.forgetDoubtful();
        return {Change::What::all};
    }
    if (event == control::nodeStats) return takeStats(around.nodes, objectIn(json));
    if (event == control::hostOnline || event == control::hostExpired) {
        return takeHost(around.hosts, event, objectIn(json));
    }
    if (event == control::nodeOnline || event == control::nodeChanged ||
        event == control::nodeExpired) {
        return takeNode(around.nodes, event, objectIn(json));
    }
    return {};
}

std::optional<Gap> readGapNotice(std::string_view event, std::string_view json) {
    if (event != control::netGap) return {};
    const Json data = objectIn(json);
    Gap gap;
    gap.host = textIn(data, "host");
    if (gap.host.empty()) return {};
    gap.count = numberIn(data, "count");
    gap.first = numberIn(data, "first");
    gap.last = numberIn(data, "last");
    gap.why = whyOf(textIn(data, "why"));
    return gap;
}

}  // namespace netcluster
