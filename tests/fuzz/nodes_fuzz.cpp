// What other daemons and our clients may say of nodes, line by line: the directory keeps in order
// whatever was said, its clients know what it knows, and it all goes with those who said it.
//
// A line is a digit and JSON: 0 to 3 are the events between daemons, 4 to 6 what a client asks, 7
// to 9 what the link notices of host A. Ids in the seeds are those below.
#include <cstddef>
#include <cstdint>
#include <map>
#include <netcluster/control.hpp>
#include <string>
#include <string_view>

#include "expect.hpp"
#include "json_scan.hpp"
#include "node_directory.hpp"

using namespace netcluster;
using namespace netcluster::daemon;
using netcluster::fuzz::expect;
using nlohmann::json;

namespace {

wire::Uuid uuidOf(std::uint8_t filler) {
    wire::Uuid uuid;
    uuid.fill(filler);
    return uuid;
}

const wire::Uuid self = uuidOf(0x01);
const wire::Uuid others[] = {uuidOf(0xaa), uuidOf(0xbb)};
const wire::Uuid clients[] = {uuidOf(0x11), uuidOf(0x12)};

struct Judge final : NodeEvents {
    std::map<std::string, Node> known;
    void onNodeOnline(const Node& node) override {
        expect(known.emplace(node.said.id, node).second, "a node comes once");
    }
    void onNodeChanged(const Node& node) override {
        expect(known.contains(node.said.id), "who changes is there");
        known[node.said.id] = node;
    }
    void onNodeExpired(const Node& node, std::string_view) override {
        expect(known.erase(node.said.id) == 1, "who goes was there");
    }
    void onNodeRefused(const Node& node, const Node&) override {
        expect(known.contains(node.said.id), "who gives way was there");
    }
    void onStats(const json& stats) override {
        for (const auto& [id, said] : stats.items()) {
            expect(known.contains(id) && said.is_object(), "stats are of nodes that are there");
        }
    }
    void tellHosts(std::string_view event, const json& data) override {
        expect(control::isBetweenDaemons(event), "daemons hear what is for daemons");
        const std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
        expect(wire::validJson(text), "what is told passes the link");
    }
};

void say(NodeDirectory& directory, char what, const json& data) {
    std::string why;
    switch (what) {
        case '0':
            (void)directory.onHostEvent(control::nodeChange, data);
            break;
        case '1':
            (void)directory.onHostEvent(control::allNodes, data);
            break;
        case '2':
            (void)directory.onHostEvent(control::nodesWanted, data);
            break;
        case '3':
            (void)directory.onHostEvent(control::nodeStats, data);
            break;
        case '4':
            if (auto said = readDescription(data, why)) {
                (void)directory.add(clients[said->id.size() % 2], *std::move(said), 5);
            }
            break;
        case '5':
            if (directory.ofClient(clients[0])) (void)directory.report(clients[0], data);
            directory.tellStats();
            break;
        case '6':
            if (data.is_string()) (void)directory.remove(clients[0], data.get<std::string>());
            break;
        case '7':
            directory.onHostOnline(others[0]);
            break;
        case '8':
            directory.onHostExpired(others[0]);
            break;
        default:
            directory.onHostGap(others[0]);
            directory.askAgain();
            if (directory.asked()) directory.answer();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view script(reinterpret_cast<const char*>(data), size);
    Judge judge;
    NodeDirectory directory(self, "self", judge);
    for (const wire::Uuid& other : others) directory.onHostOnline(other);
    while (!script.empty()) {
        const std::string_view line = script.substr(0, script.find('\n'));
        script.remove_prefix(std::min(line.size() + 1, script.size()));
        if (line.empty()) continue;
        // Neither the link nor a session hands on anything else.
        if (!wire::validJson(line.substr(1))) continue;
        say(directory, line.front(), json::parse(line.substr(1)));
    }
    expect(judge.known.size() == directory.all().size(), "clients know what is known");
    for (const wire::Uuid& other : others) directory.onHostExpired(other);
    for (const wire::Uuid& client : clients) directory.removeClient(client);
    expect(directory.all().empty() && judge.known.empty(), "nothing stays behind");
    expect(directory.ourText() == 0 && directory.textElsewhere() == 0, "nothing is counted twice");
    return 0;
}
