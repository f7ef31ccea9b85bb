// Nodes with a link that is full, and then has room again.
#include "nodes.hpp"

#include <doctest/doctest.h>

#include <netcluster/control.hpp>

namespace netcluster::daemon {
namespace {

using nlohmann::json;

class Client final : public Source {
  public:
    const wire::Uuid& uuid() const override { return uuid_; }
    const std::string& channel() const override { return channel_; }
    void resume() override {}
    void reply(std::string_view, std::string_view text, std::string_view) override {
        answer = json::parse(text);
    }
    void unwanted(std::string_view, std::uint8_t, std::uint64_t) override {}
    void refused(const wire::EventView&, std::string_view) override {}
    void misbehaved(std::string_view) override {}
    std::string label() const override { return "client"; }

    json answer;

  private:
    wire::Uuid uuid_{1};
    std::string channel_ = "A";
};

// What other hosts would hear of it.
class NarrowLink final : public NetOutlet {
  public:
    void send(const wire::EventRun& events) override {
        CHECK_FALSE(full);
        said.push_back({std::string(events.first.name), json::parse(events.first.payload)});
    }
    void flush() override {}
    bool holdsSenders(const wire::EventRun&) const override { return full; }
    void awaitRoom(Waiter& sender) override { waiting.push_back(sender.weak_from_this()); }

    void makeRoom() {
        full = false;
        for (const auto& one : std::exchange(waiting, {})) {
            if (const auto waiter = one.lock()) waiter->resume();
        }
    }

    bool full = false;
    std::vector<std::pair<std::string, json>> said;
    std::vector<std::weak_ptr<Waiter>> waiting;
};

struct House {
    House() {
        router.setLink(&link);
        router.setAddressing(&nodes);
    }
    ~House() { nodes.close(); }

    void request(std::string_view what, const json& data) {
        const std::string text = data.dump();
        wire::EventView event;
        event.name = what;
        event.payload = text;
        CHECK(nodes.onRequest(*client, event) == Addressing::Request::taken);
    }
    /// Another host says something.
    void hear(std::string_view what, const json& data) {
        const std::string text = data.dump();
        wire::EventView event;
        event.name = what;
        event.payload = text;
        nodes.onHostEvent(event);
    }

    boost::asio::io_context io;
    Router router;
    NarrowLink link;
    wire::Uuid host{7};
    Nodes nodes{io, router, host, "alpha"};
    std::shared_ptr<Client> client = std::make_shared<Client>();
};

}  // namespace

TEST_CASE("a change that the link has no room for is told, as it is then, when there is") {
    House house;
    house.request(control::registerNode, {{"id", "web"}});
    house.request(control::registerNode, {{"id", "db"}});
    REQUIRE(house.link.said.size() == 2);
    CHECK(house.link.said.back().first == control::nodeChange);
    const auto serial = house.link.said.back().second.at("serial").get<std::uint64_t>();

    house.link.full = true;
    house.request(control::unregisterNode, "web");
    house.request(control::registerNode, {{"id", "cache"}});
    CHECK(house.link.said.size() == 2);
    CHECK(house.link.waiting.size() == 1);

    house.link.makeRoom();
    house.io.poll();
    REQUIRE(house.link.said.size() == 3);
    CHECK(house.link.said.back().first == control::allNodes);
    const json& all = house.link.said.back().second;
    CHECK(all.at("serial") == serial + 2);
    REQUIRE(all.at("nodes").size() == 2);
    CHECK(all.at("nodes").at(0).at("id") == "cache");
    CHECK(all.at("nodes").at(1).at("id") == "db");

    house.request(control::unregisterNode, "db");
    CHECK(house.link.said.back().first == control::nodeChange);
}

TEST_CASE("an answer to a host that asks waits for room, a question is asked again") {
    House house;
    house.request(control::registerNode, {{"id", "web"}});
    house.link.full = true;
    house.hear(control::nodesWanted, {{"host", wire::uuidText(house.host)}});
    house.io.run_one();  // those that ask have gathered
    CHECK(house.link.said.size() == 1);
    house.link.makeRoom();
    house.io.restart();
    house.io.poll();
    REQUIRE(house.link.said.size() == 2);
    CHECK(house.link.said.back().first == control::allNodes);

    house.link.full = true;
    const std::string other = wire::uuidText(wire::Uuid{9});
    house.nodes.onNotice(control::hostOnline, json{{"id", other}}.dump());
    CHECK(house.link.said.size() == 2);
    house.link.makeRoom();
    house.io.restart();
    while (house.link.said.size() == 2) house.io.run_one();
    CHECK(house.link.said.back().first == control::nodesWanted);
    CHECK(house.link.said.back().second == json{{"host", other}});
}

}  // namespace netcluster::daemon
