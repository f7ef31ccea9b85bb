#include "nodes.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <netcluster/control.hpp>
#include <utility>

#include "dump.hpp"
#include "json_scan.hpp"
#include "log.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;

// Those that ask for all our nodes gather for so long: ten hosts that come at once are answered
// once.
constexpr std::chrono::milliseconds gathering{100};
// A question, or its answer, may have come before the other side heard us.
constexpr std::chrono::milliseconds askingAgain{1000};
// How nodes are doing is told so often at most, to hosts and to clients.
constexpr std::chrono::milliseconds betweenStats{1000};
// A client that registers nodes too often is heard again after this.
constexpr std::chrono::milliseconds beforeResuming{20};
// Hosts that are logged for what they tell. Reason: more are no accident, and names are free.
constexpr std::size_t maxComplaints = 64;
// Of what one request says. Reason: the limits of NodeDescription are below it, and it is to travel
// to every host.
constexpr std::size_t maxDescription = 4096;
// Of what a daemon tells in one event: all its nodes, and what is around them.
constexpr std::size_t maxToldByHost = maxDirectoryText + (std::size_t{64} << 10);

std::int64_t wallClock() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

json expiredJson(const Node& node, std::string_view why) {
    return {{"id", node.said.id},
            {"host", wire::uuidText(node.host)},
            {"hostname", node.hostName},
            {"why", why}};
}

}  // namespace

Nodes::Nodes(boost::asio::io_context& io, Router& router, const wire::Uuid& host,
             std::string hostName)
    : io_(io),
      router_(router),
      directory_(host, std::move(hostName), *this),
      answerTimer_(io),
      askTimer_(io),
      statsTimer_(io),
      resumeTimer_(io) {}

Nodes::~Nodes() {
    teller_->nodes = nullptr;
}

void Nodes::close() {
    closed_ = true;
    answerTimer_.cancel();
    askTimer_.cancel();
    statsTimer_.cancel();
    resumeTimer_.cancel();
}

void Nodes::takeLimits(const std::string& hostName, std::size_t maxEvent) {
    directory_.setMaxText(std::min(maxDirectoryText, maxEvent - maxEvent / 4));
    directory_.setHostName(hostName);
    watch();
}

// -- addresses ---------------------------------------------------------------------------------

std::string Nodes::whyNot(std::string_view to) {
    return book_.whyNot(to);
}

bool Nodes::isFor(std::string_view to, const wire::Uuid& client) {
    return book_.isFor(to, client);
}

bool Nodes::mayBeElsewhere(std::string_view to) {
    return book_.mayBeElsewhere(to);
}

// -- what clients ask --------------------------------------------------------------------------

Addressing::Request Nodes::onRequest(Source& source, const wire::EventView& event) {
    const bool stats = event.name == control::nodeStats;
    if (!stats && !control::changesNodes(event.name)) return Request::none;
    if (!stats && !budget_.take(source.uuid(), std::chrono::steady_clock::now())) {
        waiting_.push_back(source.weak_from_this());
        watch();
        return Request::later;
    }
    const json answer = answerTo(source, event);
    // Stats come all the time: no news is good news.
    if (!stats || !answer.empty() || !event.id.empty()) {
        source.reply(std::string(event.name) + std::string(control::responseSuffix),
                     jsonText(answer), event.id);
    }
    watch();
    return Request::taken;
}

json Nodes::answerTo(Source& source, const wire::EventView& event) {
    const auto refused = [](json id, const std::string& why) {
        return json{{"id", std::move(id)}, {"error", why}};
    };
    if (event.bytes()) return refused(nullptr, "the data of a request is JSON, not bytes");
    if (event.payload.size() > maxDescription) {
        return refused(nullptr,
                       "a description of more than " + std::to_string(maxDescription) + " bytes");
    }
    if (!event.payload.empty() && !wire::validJson(event.payload)) {
        return refused(nullptr, "the data is not JSON");
    }
    json data = event.payload.empty() ? json() : json::parse(event.payload);
    if (event.name == control::nodeStats) {
        const std::string why = directory_.report(source.uuid(), std::move(data));
        return why.empty() ? json::object() : json{{"error", why}};
    }
    if (event.name == control::unregisterNode) {
        if (data.is_string() && directory_.remove(source.uuid(), data.get<std::string>())) {
            return {{"id", data}};
        }
        return refused(data, "you have no such node");
    }
    std::string why;
    auto said = readDescription(data, why);
    if (!said) return refused(nullptr, why);
    const std::string id = said->id;
    why = directory_.add(source.uuid(), *std::move(said), wallClock());
    return why.empty() ? json{{"id", id}} : refused(id, why);
}

// -- what other hosts tell ---------------------------------------------------------------------

void Nodes::onHostEvent(const wire::EventView& event) {
    const bool readable = !event.bytes() && event.payload.size() <= maxToldByHost;
    const json data = readable ? json::parse(event.payload, nullptr, false) : json();
    const std::string wrong = directory_.onHostEvent(event.name, data);
    if (!wrong.empty()) complain(event, wrong);
    watch();
}

// Once for each host.
void Nodes::complain(const wire::EventView& event, const std::string& wrong) {
    if (complainedOf_.size() == maxComplaints) return;
    if (!complainedOf_.insert(std::string(event.host)).second) return;
    log::warn("nodes: what host {} tells cannot be used: {}: {}; later ones are not logged",
              printable(event.host, 64), printable(event.name, wire::maxEventName), wrong);
}

void Nodes::watch() {
    if (closed_) return;
    if (directory_.asked()) after(answerTimer_, answering_, untilAnswer(), &Nodes::answerAskers);
    if (!waiting_.empty()) after(resumeTimer_, resuming_, beforeResuming, &Nodes::resumeWaiting);
    if (directory_.hasStatsToTell()) {
        after(statsTimer_, telling_, untilStats(), &Nodes::tellStats);
    }
    if (directory_.waits()) after(askTimer_, asking_, askingAgain, &Nodes::askAgain);
}

void Nodes::after(Timer& timer, bool& running, std::chrono::milliseconds time,
                  void (Nodes::*then)()) {
    if (std::exchange(running, true)) return;
    timer.expires_after(time);
    timer.async_wait([this, &running, then](const boost::system::error_code& error) {
        if (error) return;
        running = false;
        (this->*then)();
        router_.endTurn();
        watch();
    });
}

void Nodes::answerAskers() {
    directory_.answer();
}

void Nodes::askAgain() {
    directory_.askAgain();
}

void Nodes::tellStats() {
    statsTold_ = std::chrono::steady_clock::now();
    directory_.tellStats();
}

std::chrono::milliseconds Nodes::untilStats() const {
    const auto since = std::chrono::steady_clock::now() - statsTold_;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(betweenStats - since);
    return std::max(gathering, left);
}

// Those that waited longest are heard first; those that must wait again do so behind the others.
void Nodes::resumeWaiting() {
    for (const auto& waiting : std::exchange(waiting_, {})) {
        if (const auto client = waiting.lock()) client->resume();
    }
}

// Many nodes are told less often, however often somebody asks: see maxDirectoryText.
std::chrono::milliseconds Nodes::untilAnswer() const {
    return gathering + std::chrono::milliseconds(1000 * directory_.ourText() / maxDirectoryText);
}

void Nodes::onCame(const wire::Uuid& client) {
    book_.addClient(client);
}

// Posted: the client may have gone in the middle of a turn.
void Nodes::onGone(const wire::Uuid& client) {
    const auto* const ids = directory_.ofClient(client);
    budget_.forget(client, ids ? ids->size() : 0);
    if (ids) directory_.removeClient(client);
    book_.removeClient(client);
    if (!ids) return;
    if (!closed_) boost::asio::post(io_, [this] { router_.endTurn(); });
}

void Nodes::onNotice(std::string_view event, std::string_view text) {
    const json data = json::parse(text, nullptr, false);
    if (!data.is_object()) return;
    const wire::Uuid host = wire::uuidFromText(data.value("id", ""));
    if (event == control::hostOnline) directory_.onHostOnline(host);
    if (event == control::hostExpired) directory_.onHostExpired(host);
    if (event == control::netGap) {
        directory_.onHostGap(host);
        for (const json& behind : data.value("behind", json::array())) {
            directory_.onHostGap(wire::uuidFromText(behind.get<std::string>()));
        }
    }
    watch();
}

// -- who hears of it ---------------------------------------------------------------------------

std::vector<Notice> Nodes::standing() const {
    std::vector<Notice> notices;
    for (const auto& [id, node] : directory_.all()) {
        notices.push_back({control::nodeOnline, jsonText(noticeOf(node))});
    }
    return notices;
}

json Nodes::noticeOf(const Node& node) const {
    json notice = nodeJson(node);
    if (const json* stats = directory_.statsOf(node)) notice["stats"] = *stats;
    return notice;
}

void Nodes::onNodeOnline(const Node& node) {
    book_.put(node);
    router_.tellClients(control::nodeOnline, jsonText(noticeOf(node)));
}

void Nodes::onNodeChanged(const Node& node) {
    book_.put(node);
    router_.tellClients(control::nodeChanged, jsonText(noticeOf(node)));
}

void Nodes::onNodeExpired(const Node& node, std::string_view why) {
    book_.remove(node.said.id);
    router_.tellClients(control::nodeExpired, jsonText(expiredJson(node, why)));
}

void Nodes::onNodeRefused(const Node& node, const Node& winner) {
    log::warn("nodes: {} of client {} gives way to the one on host {}, which was earlier",
              node.said.id, wire::uuidText(node.client), winner.hostName);
}

void Nodes::onStats(const json& stats) {
    router_.tellClients(control::nodeStats, jsonText(stats));
}

// What a full link leaves out would be a gap of this host for all others. Questions are asked again
// anyway, and stats told again; all else is told as it is when there is room.
void Nodes::tellHosts(std::string_view event, const json& data) {
    if (untold_ && event == control::nodeChange) return;
    if (router_.tellHosts(event, jsonText(data), *teller_)) return;
    if (event == control::nodeChange || event == control::allNodes) untold_ = true;
}

// Posted: whoever makes room is in the middle of a turn of its own.
void Nodes::Teller::resume() {
    if (!nodes) return;
    boost::asio::post(nodes->io_, [self = std::static_pointer_cast<Teller>(shared_from_this())] {
        if (self->nodes) self->nodes->tellUntold();
    });
}

void Nodes::tellUntold() {
    if (closed_ || !std::exchange(untold_, false)) return;
    directory_.answer();
    router_.endTurn();
    watch();
}

}  // namespace netcluster::daemon
