#include "node.hpp"

#include <algorithm>

namespace netcluster::daemon {
namespace {

using nlohmann::json;

/// What is wrong, found deep within.
struct Wrong {
    std::string what;
};

std::string wordIn(const json& value, const std::string& what) {
    if (!value.is_string()) throw Wrong{what + " is not a string"};
    std::string word = value.get<std::string>();
    if (!validTagWord(word)) {
        throw Wrong{what +
                    " is not a name: 1 to 128 bytes without blanks and any of | , : & ! ( ) "
                    "= *"};
    }
    return word;
}

const json& listIn(const json& object, const char* key, std::size_t atMost) {
    static const json none = json::array();
    const auto found = object.find(key);
    if (found == object.end()) return none;
    if (!found->is_array()) throw Wrong{std::string(key) + " is not an array"};
    if (found->size() > atMost) {
        throw Wrong{std::string(key) + " has more than " + std::to_string(atMost) + " entries"};
    }
    return *found;
}

bool isNestedDeeper(const json& value, int than) {
    if (!value.is_structured()) return false;
    if (than == 0) return true;
    return std::any_of(value.begin(), value.end(),
                       [&](const json& part) { return isNestedDeeper(part, than - 1); });
}

std::string tooDeep(const std::string& what) {
    return what + " is nested deeper than " + std::to_string(maxNesting);
}

NodeDescription::Service serviceIn(const json& value) {
    if (!value.is_object()) throw Wrong{"a service is not an object"};
    NodeDescription::Service service;
    service.name = wordIn(value.value("name", json()), "the name of a service");
    const json port = value.value("port", json(0));
    if (!port.is_number_unsigned() || port.get<std::uint64_t>() > 65535) {
        throw Wrong{"the port of service " + service.name + " is not a number from 0 to 65535"};
    }
    service.port = port.get<std::uint16_t>();
    return service;
}

NodeDescription descriptionIn(const json& object) {
    if (!object.is_object()) throw Wrong{"a node is not an object"};
    NodeDescription said;
    said.id = wordIn(object.value("id", json()), "id");
    for (const json& region : listIn(object, "regions", maxRegions)) {
        said.regions.push_back(wordIn(region, "a region"));
    }
    for (const json& service : listIn(object, "services", maxServices)) {
        said.services.push_back(serviceIn(service));
    }
    if (const auto info = object.find("info"); info != object.end()) {
        if (!info->is_object()) throw Wrong{"info is not an object"};
        if (isNestedDeeper(*info, maxNesting)) throw Wrong{tooDeep("info")};
        said.info = *info;
    }
    return said;
}

Node nodeIn(const json& object) {
    Node node;
    node.said = descriptionIn(object);
    const json host = object.value("host", json());
    if (host.is_string()) node.host = wire::uuidFromText(host.get<std::string>());
    if (node.host == wire::Uuid{}) throw Wrong{"host is not a uuid"};
    const json name = object.value("hostname", json(""));
    if (!name.is_string()) throw Wrong{"hostname is not a string"};
    node.hostName = name.get<std::string>();
    const json since = object.value("since", json());
    if (!since.is_number_integer()) throw Wrong{"since is not a whole number"};
    node.since = since.get<std::int64_t>();
    return node;
}

// What a value of `info` is in a tag.
std::optional<std::string> valueText(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    return {};
}

std::vector<std::string> eachOnce(std::vector<std::string> words) {
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

template <typename Read>
auto orError(Read read, std::string& error) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const Wrong& wrong) {
        error = wrong.what;
        return {};
    }
}

}  // namespace

bool Node::isNamed(std::string_view name) const {
    return name == said.id ||
           std::find(said.regions.begin(), said.regions.end(), name) != said.regions.end();
}

bool Node::hasTag(std::string_view key, std::string_view value) const {
    if (key == "node") return value == said.id;
    if (key == "host") return value == hostName;
    if (key == "region") {
        return std::find(said.regions.begin(), said.regions.end(), value) != said.regions.end();
    }
    if (key == "service") {
        return std::any_of(said.services.begin(), said.services.end(),
                           [&](const auto& service) { return service.name == value; });
    }
    const auto found = said.info.find(key);
    return found != said.info.end() && valueText(*found) == value;
}

std::vector<std::string> Node::names() const {
    std::vector<std::string> names = said.regions;
    names.push_back(said.id);
    return eachOnce(std::move(names));
}

std::vector<std::string> Node::tags() const {
    std::vector<std::string> tags{"node=" + said.id, "host=" + hostName};
    for (const std::string& region : said.regions) tags.push_back("region=" + region);
    for (const auto& service : said.services) tags.push_back("service=" + service.name);
    for (const auto& [key, value] : said.info.items()) {
        const auto word = valueText(value);
        if (word && validTagWord(key) && validTagWord(*word) && !isReservedTag(key)) {
            tags.push_back(key + '=' + *word);
        }
    }
    return eachOnce(std::move(tags));
}

std::optional<NodeDescription> readDescription(const json& object, std::string& error) {
    return orError([&] { return descriptionIn(object); }, error);
}

std::optional<Node> readNode(const json& object, std::string& error) {
    return orError([&] { return nodeIn(object); }, error);
}

std::size_t textSize(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace).size();
}

std::size_t textSize(const Node& node) {
    return textSize(nodeJson(node));
}

std::string whyNoStats(const json& stats) {
    if (!stats.is_object()) return "stats are not an object";
    if (isNestedDeeper(stats, maxNesting)) return tooDeep("what stats say");
    if (textSize(stats) > maxStats) {
        return "stats of more than " + std::to_string(maxStats) + " bytes";
    }
    return {};
}

json nodeJson(const Node& node) {
    json services = json::array();
    for (const auto& service : node.said.services) {
        services.push_back({{"name", service.name}, {"port", service.port}});
    }
    return {{"id", node.said.id},
            {"regions", node.said.regions},
            {"info", node.said.info},
            {"services", std::move(services)},
            {"host", wire::uuidText(node.host)},
            {"hostname", node.hostName},
            {"since", node.since}};
}

}  // namespace netcluster::daemon
