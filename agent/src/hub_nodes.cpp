// Hub: the nodes of this process, and those that are around.
#include <charconv>
#include <netcluster/control.hpp>

#include "hub.hpp"
#include "json_members.hpp"
#include "node_codec.hpp"
#include "outgoing_event.hpp"
#include "process.hpp"

namespace netcluster {
namespace {

// 0 when it is none.
std::uint64_t numberIn(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? number : 0;
}

}  // namespace

// -- registering

std::string Hub::defaultNodeId() const {
    const auto welcome = connection_->welcome();
    return welcome ? welcome->host + "-" + std::to_string(processId()) : std::string();
}

void Hub::registerNode(const std::shared_ptr<Mailbox>& agent, NodeDescription said,
                       std::chrono::milliseconds timeout, Connection::Done done) {
    if (!agent->hearsRemote()) return done("not connected");
    connection_->post([hub = weak_from_this(), agent, said = std::move(said), timeout,
                       done = std::move(done)]() mutable {
        const auto self = hub.lock();
        if (!self) return done("the agent is gone");
        const std::string why = self->ask(agent, std::move(said), timeout, done);
        if (!why.empty()) done(why);
    });
}

// Returns why it cannot be asked; else `done` is told what becomes of it.
std::string Hub::ask(const std::shared_ptr<Mailbox>& agent, NodeDescription said,
                     std::chrono::milliseconds timeout, const Connection::Done& done) {
    if (channel_ == control::channel) return "the channel control has no nodes";
    if (!connection_->online()) return "not connected";
    try {
        const std::string text = textOf(said);
        checkSize(control::registerNode, text.size(), connection_->maxEvent());
        const std::lock_guard lock(mutex_);
        if (findMember(*agent) == members_.end()) return "not connected";
        const std::uint64_t number = ownNodes_.ask(agent, std::move(said), text);
        Asking& asking = asking_[number];
        asking.agent = agent.get();
        asking.done = done;
        asking.timer = connection_->after(timeout, [hub = weak_from_this(), number, timeout] {
            const auto self = hub.lock();
            const auto late = self ? self->takeAsking(number) : nullptr;
            if (late) {
                late("the daemon did not answer within " + std::to_string(timeout.count()) + " ms");
            }
        });
        request(control::registerNode, text, number);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

void Hub::request(std::string_view what, std::string_view json, std::uint64_t number) {
    const std::string id = std::to_string(number);
    wire::EventView view;
    view.name = what;
    view.channel = channel_;
    view.id = id;
    view.payload = json;
    connection_->request(view);
}

bool Hub::unregisterNode(const Mailbox& agent, std::string_view id) {
    const std::lock_guard lock(mutex_);
    if (!ownNodes_.forget(agent, id)) return false;
    request(control::unregisterNode, Json(id).dump(), 0);
    connection_->post([hub = weak_from_this()] {
        if (const auto self = hub.lock()) self->watchStats();
    });
    return true;
}

// With the lock of the members, so that none is registered for an agent that has left.
void Hub::forgetNodes(Mailbox& agent) {
    for (const std::string& id : ownNodes_.forgetAll(agent)) {
        request(control::unregisterNode, Json(id).dump(), 0);
    }
    connection_->post([hub = weak_from_this(), left = &agent] {
        const auto self = hub.lock();
        if (!self) return;
        self->endAsking(left, "disconnected");
        self->watchStats();
    });
}

// -- the answers; the connection's thread

Connection::Done Hub::takeAsking(std::uint64_t number) {
    const auto asking = asking_.extract(number);
    return asking ? std::move(asking.mapped().done) : nullptr;
}

// Of one agent, or of all. Takes them out before it tells them: what they do may come back here.
void Hub::endAsking(const Mailbox* agent, const std::string& why) {
    std::vector<Connection::Done> ended;
    std::erase_if(asking_, [&](auto& asking) {
        if (agent && asking.second.agent != agent) return false;
        ended.push_back(std::move(asking.second.done));
        return true;
    });
    for (const Connection::Done& done : ended) done(why);
}

void Hub::takeAnswer(const wire::EventView& event) {
    const std::uint64_t number = numberIn(event.id);
    const Json answer = Json::parse(event.payload, nullptr, false);
    if (number == 0 || !answer.is_object()) return;
    const std::string why = textIn(answer, "error");
    const auto welcome = connection_->welcome();
    const auto answered = why.empty() ? ownNodes_.granted(number, welcome ? welcome->host : "")
                                      : ownNodes_.refused(number);
    const Connection::Done done = takeAsking(number);
    if (answered && why.empty()) confirmNode(*answered, done != nullptr);
    if (!answered && why.empty()) takeBack(textIn(answer, "id"));
    if (answered && answered->isAgain && !why.empty()) {
        answered->agent->nodeLost(answered->id, why);
    }
    if (answered) tell({Change::What::node, answered->id});
    watchStats();
    if (done) done(why);
}

// It was given up while a new connection asked for it again, and could not say so yet. The daemon
// would keep it for as long as the connection lives.
void Hub::takeBack(const std::string& id) {
    if (!id.empty() && !ownNodes_.isWanted(id)) {
        request(control::unregisterNode, Json(id).dump(), 0);
    }
}

void Hub::confirmNode(const OwnNodes::Answered& answered, bool awaited) {
    if (answered.isNew && !awaited) {  // whoever wanted it has been told that it is not
        unregisterNode(*answered.agent, answered.id);
        return;
    }
    const std::lock_guard lock(aroundMutex_);
    const auto known = around_.nodes.find(answered.id);
    if (known == around_.nodes.end()) return;
    auto own = std::make_shared<Presence>(*known->second.presence);
    own->node.own = true;
    known->second.presence = std::move(own);
}

// True: whether the node is our own the answer will say, which follows at once if it is.
bool Hub::awaitsAnswer(const Change& change) const {
    return change.what == Change::What::node && ownNodes_.isAsked(change.id) &&
           around_.nodes.contains(change.id);
}

// Two hosts took a node of that id at the same time; ours was the later one.
void Hub::nodeLost(const Change& change) {
    if (change.what != Change::What::node || change.why != "refused") return;
    if (const auto agent = ownNodes_.lost(change.id)) {
        agent->nodeLost(change.id, "another host has a node of that id");
        watchStats();
    }
}

std::string Hub::onGreeting() {
    ownNodes_.unanswered();
    std::string frames;
    for (const OwnNodes::Request& again : ownNodes_.again()) {
        const std::string id = std::to_string(again.number);
        wire::EventView view;
        view.name = control::registerNode;
        view.channel = channel_;
        view.id = id;
        view.payload = again.text;
        wire::appendEvent(frames, view);
    }
    return frames;
}

// -- how they are doing; the connection's thread

// While there are nodes, and somebody to tell.
void Hub::watchStats() {
    const bool needed = !welcoming_ && connection_->online() && !ownNodes_.empty();
    if (!needed) return statsTimer_.reset();
    if (!statsTimer_) tellStats();
}

// Dropped when the queue is full: the next report says it all again.
void Hub::tellStats() {
    statsTimer_ = connection_->after(betweenStats, [hub = weak_from_this()] {
        if (const auto self = hub.lock()) self->tellStats();
    });
    const std::string report = stats_.next(processStats()).dump();
    wire::EventView view;
    view.name = control::nodeStats;
    view.channel = channel_;
    view.payload = report;
    connection_->send(view);
}

// -- who is there, who is meant

std::vector<Node> Hub::nodes(const Target* target) const {
    std::vector<std::shared_ptr<const Presence>> known;
    {
        const std::lock_guard lock(aroundMutex_);
        known.reserve(around_.nodes.size());
        for (const auto& [id, node] : around_.nodes) known.push_back(node.presence);
    }
    std::vector<Node> nodes;
    for (const auto& presence : known) {
        if (target && !target->matches(TaggedNode(presence->node))) continue;
        Node& node = nodes.emplace_back(presence->node);
        node.own = node.own && ownNodes_.has(node.id);
    }
    return nodes;
}

// Throws Error when the event cannot go out with these addresses.
bool Hub::isMeant(const EmitOptions& options) const {
    checkAddresses(options);
    if (options.to.empty()) return true;
    const wire::Uuid* const client = emitter_->sender();
    return ownNodes_.isMeant(compiledTarget(options.to),
                             client ? wire::uuidText(*client) : std::string());
}

}  // namespace netcluster
