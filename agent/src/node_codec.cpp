#include "node_codec.hpp"

#include <algorithm>
#include <netcluster/control.hpp>
#include <netcluster/error.hpp>

#include "json_members.hpp"
#include "outgoing_event.hpp"
#include "text.hpp"

namespace netcluster {
namespace {

void checkWord(const std::string& what, const std::string& word) {
    if (isNodeName(word)) return;
    throw Error(what + " is not a name: 1 to 128 bytes of UTF-8 without blanks and any of " +
                "| , : & ! ( ) = *");
}

std::uint16_t portIn(const Json& service) {
    const auto found = service.find("port");
    const bool fits = found != service.end() && found->is_number_unsigned() &&
                      found->get<std::uint64_t>() <= 65535;
    return fits ? found->get<std::uint16_t>() : std::uint16_t{0};
}

}  // namespace

bool isNodeName(std::string_view text) {
    return validTagWord(text) && wire::validUtf8(text);
}

bool isTagName(std::string_view text) {
    return isNodeName(text) && !isReservedTag(text);
}

std::string textOf(const NodeDescription& node) {
    checkWord("the id of a node", node.id);
    const std::string of = " of node '" + node.id + "'";
    Json services = Json::array();
    for (const std::string& region : node.regions) checkWord("a region" + of, region);
    for (const Service& service : node.services) {
        checkWord("the name of a service" + of, service.name);
        services.push_back({{"name", service.name}, {"port", service.port}});
    }
    if (!node.info.is_object()) throw Error("the info" + of + " is not an object");
    checkData(control::registerNode, node.info);  // what is too deep for a copy, too
    const Json json{{"id", node.id},
                    {"regions", node.regions},
                    {"info", node.info},
                    {"services", std::move(services)}};
    checkData(control::registerNode, json);
    return json.dump();
}

Node readNode(const Json& data) {
    Node node;
    node.id = textIn(data, "id");
    for (const Json& region : listIn(data, "regions")) {
        if (region.is_string()) node.regions.push_back(region.get<std::string>());
    }
    node.info = objectIn(data, "info");
    for (const Json& service : listIn(data, "services")) {
        if (service.is_object())
            node.services.push_back({textIn(service, "name"), portIn(service)});
    }
    node.host = textIn(data, "hostname");
    node.hostId = textIn(data, "host");
    if (const auto since = data.find("since"); since != data.end() && since->is_number_integer()) {
        node.since = since->get<std::int64_t>();
    }
    node.stats = objectIn(data, "stats");
    return node;
}

bool TaggedNode::isNamed(std::string_view name) const {
    return name == node_.id ||
           std::find(node_.regions.begin(), node_.regions.end(), name) != node_.regions.end();
}

// As the daemon does it: both must mean the same nodes.
bool TaggedNode::hasTag(std::string_view key, std::string_view value) const {
    if (key == "node") return value == node_.id;
    if (key == "host") return value == node_.host;
    if (key == "region") {
        return std::find(node_.regions.begin(), node_.regions.end(), value) != node_.regions.end();
    }
    if (key == "service") {
        return std::any_of(node_.services.begin(), node_.services.end(),
                           [&](const Service& service) { return service.name == value; });
    }
    const auto found = node_.info.find(key);
    if (found == node_.info.end()) return false;
    if (found->is_string()) return found->get_ref<const std::string&>() == value;
    return (found->is_number() || found->is_boolean()) && found->dump() == value;
}

Target compiledTarget(std::string_view text) {
    if (!wire::validUtf8(text)) throw Error("a target must be UTF-8");
    Target::Compiled compiled = Target::compile(text);
    if (compiled.target) return *std::move(compiled.target);
    throw Error("'" + std::string(text) + "' is no target: " + compiled.error);
}

}  // namespace netcluster
