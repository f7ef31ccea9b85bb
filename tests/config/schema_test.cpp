// config.schema.json and the parser know the same keys, give them the same defaults, and judge
// every value alike.
#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "keys.hpp"
#include "schema_check.hpp"
#include "support.hpp"

namespace netcluster::config::test {

using nlohmann::json;

namespace {

const json& schema() {
    static const json read =
        json::parse(std::ifstream(NETCLUSTER_CONFIG_DIR "/config.schema.json"));
    return read;
}

const json& documentProperties() {
    return schema()["properties"];
}
const json& channelProperties() {
    return schema()["$defs"]["channel"]["properties"];
}

std::set<std::string> keysOf(const json& object) {
    std::set<std::string> keys;
    for (const auto& item : object.items()) keys.insert(item.key());
    return keys;
}

std::set<std::string> asSet(const std::vector<std::string_view>& names) {
    return {names.begin(), names.end()};
}

// The schema of a key with the other schemas it may come from: the options of anyOf, each resolved.
std::vector<json> alternatives(const json& key) {
    std::vector<json> found{key};
    for (const auto& option : key.value("anyOf", json::array())) {
        const bool refers = option.contains("$ref");
        found.push_back(refers ? schema()["$defs"][option["$ref"].get<std::string>().substr(8)]
                               : option);
    }
    return found;
}

// Values of every type, and those at and beyond each bound that the key's schema names.
std::vector<json> candidates(const json& key) {
    std::vector<json> values{nullptr,
                             true,
                             false,
                             0,
                             -1,
                             1,
                             1.5,
                             70000,
                             1e300,
                             "",
                             "x",
                             " ",
                             "[",
                             "(?=x)",
                             "a.*",
                             "4MiB",
                             "64KiB",
                             "4MB",
                             "0MiB",
                             "4 MiB",
                             "0660",
                             "660",
                             "4755",
                             "0888",
                             "00660",
                             "block",
                             "dropall",
                             "dropoldest",
                             "dropnewest",
                             "disconnect",
                             "a\tb",
                             "239.1.2.3",
                             "224.0.0.1",
                             "10.0.0.1",
                             "239.1.2.256",
                             "ff15::1",
                             "ff",
                             "fe80::1",
                             json::array(),
                             json::object(),
                             json::array({1}),
                             json::array({"a:1"}),
                             json::array({"a:1", "a:1"}),
                             json::array({"a:1", "b:65535"}),
                             json::array({"a:65536"}),
                             json::array({"a:0"}),
                             json::array({"[::1]:9"}),
                             json::array({"a"}),
                             json{{"a", 1}}};
    for (const auto& part : alternatives(key)) {
        if (part.contains("default")) values.push_back(part["default"]);
        for (const auto& word : part.value("enum", json::array())) values.push_back(word);
        for (const char* bound : {"minimum", "maximum"}) {
            if (!part.contains(bound)) continue;
            for (const int step : {-1, 0, 1}) values.push_back(part[bound].get<long long>() + step);
        }
        for (const char* bound : {"minLength", "maxLength"}) {
            if (!part.contains(bound)) continue;
            const auto length = part[bound].get<std::size_t>();
            values.push_back(std::string(length, 'a'));
            values.push_back(std::string(length + 1, 'a'));
        }
        if (part.contains("maxItems")) {
            json list = json::array();
            while (list.size() < part["maxItems"])
                list.push_back(std::to_string(list.size()) + ":1");
            values.push_back(list);
            list.push_back("one-more:1");
            values.push_back(list);
        }
    }
    return values;
}

bool parserTakes(const json& document) {
    return parse(document.dump(), "t").problems.empty();
}

// How many of the values were taken, so that a test can tell it saw both verdicts.
int checkVerdicts(const json& start, const json::json_pointer& place, const json& key) {
    int taken = 0;
    for (const auto& value : candidates(key)) {
        json document = start;
        document[place] = value;
        const bool accepted = parserTakes(document);
        CAPTURE(document.dump());
        CHECK(accepted == valid(document, schema(), schema()));
        taken += accepted ? 1 : 0;
    }
    return taken;
}

// Two queues that leave room for each other's whole range, which a schema cannot compare.
const json smallest = json::parse(R"({"channels": {"control": {}, "A": {}},
    "clientqueue": 65536, "processqueue": 68719476736})");

}  // namespace

TEST_CASE("the schema and the parser know the same keys") {
    CHECK(keysOf(documentProperties()) == asSet(documentKeyNames()));
    CHECK(keysOf(channelProperties()) == asSet(channelKeyNames()));
}

TEST_CASE("every key says what it means") {
    for (const auto* properties : {&documentProperties(), &channelProperties()}) {
        for (const auto& item : properties->items()) {
            CAPTURE(item.key());
            CHECK(item.value().value("description", "").size() > 20);
        }
    }
}

TEST_CASE("the schema and the parser have the same defaults") {
    const json defaults = toJson(Settings{});
    for (const auto& item : documentProperties().items()) {
        CAPTURE(item.key());
        // Neither has a default: one must be there, the other says nothing.
        if (item.key() == "channels" || item.key() == "$schema") continue;
        CHECK(item.value().at("default") == defaults.at(item.key()));
    }
    json channelDefaults;
    for (const auto& item : channelProperties().items()) {
        if (item.value().contains("default")) channelDefaults[item.key()] = item.value()["default"];
    }
    CHECK(channelDefaults == channelToJson(ChannelSettings{}));

    for (const auto& item :
         documentProperties()["channels"]["properties"]["control"]["properties"].items()) {
        channelDefaults[item.key()] = item.value()["default"];
    }
    CHECK(channelDefaults == channelToJson(controlDefaults()));
}

TEST_CASE("the schema and the parser judge every value of every key of the document alike") {
    for (const auto& item : documentProperties().items()) {
        CAPTURE(item.key());
        if (item.key() == "channels") continue;
        json start = smallest;
        if (item.key() == "processqueue") start.erase("processqueue");
        CHECK(checkVerdicts(start, json::json_pointer("/" + item.key()), item.value()) > 0);
    }
    // "" is a matter of the peers as well.
    json withPeers = smallest;
    withPeers["peers"] = json::array({"a:1"});
    checkVerdicts(withPeers, json::json_pointer("/addr"), documentProperties()["addr"]);
    json withoutAddress = smallest;
    withoutAddress["addr"] = "";
    checkVerdicts(withoutAddress, json::json_pointer("/peers"), documentProperties()["peers"]);
}

TEST_CASE("the schema and the parser judge every value of every key of a channel alike") {
    for (const std::string name : {"A", "control"}) {
        for (const auto& item : channelProperties().items()) {
            CAPTURE(item.key());
            const json::json_pointer place("/channels/" + name + "/" + item.key());
            CHECK(checkVerdicts(smallest, place, item.value()) > 0);
        }
    }
}

TEST_CASE("the schema and the parser judge channels and their names alike") {
    checkVerdicts(smallest, json::json_pointer("/channels"), documentProperties()["channels"]);
    checkVerdicts(smallest, json::json_pointer("/channels/A"), schema()["$defs"]["channel"]);
    for (const std::string& name :
         {std::string("a"), std::string("_"), std::string("-x"), std::string("a.b"),
          std::string(".a"), std::string(""), std::string("a b"), std::string("a/b"),
          std::string("\xC3\xA9"), std::string(64, 'a'), std::string(65, 'a')}) {
        json document = smallest;
        document["channels"][name] = json::object();
        CAPTURE(name);
        CHECK(parserTakes(document) == valid(document, schema(), schema()));
    }
    json many = smallest;
    while (many["channels"].size() < 257) {
        CHECK(parserTakes(many));
        CHECK(valid(many, schema(), schema()));
        many["channels"]["c" + std::to_string(many["channels"].size())] = json::object();
    }
    CHECK_FALSE(parserTakes(many));
    CHECK_FALSE(valid(many, schema(), schema()));
}

TEST_CASE("the schema and the parser refuse unknown keys alike") {
    for (const char* place :
         {"/colour", "/propagatetonet", "/channels/A/colour", "/channels/A/port"}) {
        json document = smallest;
        document[json::json_pointer(place)] = false;
        CAPTURE(place);
        CHECK_FALSE(parserTakes(document));
        CHECK_FALSE(valid(document, schema(), schema()));
    }
}

}  // namespace netcluster::config::test
