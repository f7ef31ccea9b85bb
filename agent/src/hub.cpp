#include "hub.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <future>
#include <netcluster/control.hpp>
#include <unordered_map>

#include "endpoint.hpp"
#include "hearing.hpp"
#include "notices.hpp"
#include "outgoing_event.hpp"
#include "process.hpp"

namespace netcluster {
namespace {

// The hubs of this process. Never destroyed: agents may be static objects.
struct Registry {
    std::mutex mutex;
    std::unordered_map<std::string, std::weak_ptr<Hub>> hubs;
    std::vector<std::shared_ptr<Hub>> abandoned;

    static Registry& instance() {
        static auto* registry = new Registry;
        return *registry;
    }
};

Connection::Setup setupFor(const std::string& channel, const Options& options) {
    if (!local::validChannel(channel)) {
        throw Error("'" + channel +
                    "' is not a channel name: 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front");
    }
    if (options.name.size() > 255 || !wire::validUtf8(options.name)) {
        throw Error("Options::name must be UTF-8 of at most 255 bytes");
    }
    Connection::Setup setup;
    setup.directories = local::searchDirectories(options.dir);
    setup.channel = channel;
    setup.program = options.name.empty() ? programName() : options.name;
    setup.queueLimit = options.queueLimit;
    return setup;
}

std::string keyOf(const Connection::Setup& setup) {
    std::string key = setup.channel;
    for (const std::string& directory : setup.directories) key += '\0' + directory;
    return key;
}

std::uint8_t reachOf(const EmitOptions& options) {
    return static_cast<std::uint8_t>((options.broadcast ? wire::broadcastFlag : 0) |
                                     (options.scope == Scope::host ? wire::hostOnlyFlag : 0));
}

std::string unsentReport(std::size_t events) {
    return std::to_string(events) + " emitted events had not been sent when it disconnected";
}

}  // namespace

// -- coming and going

std::shared_ptr<Hub> Hub::enter(const std::string& channel, const Options& options) {
    Connection::Setup setup = setupFor(channel, options);
    const std::string key = keyOf(setup);
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    auto& known = registry.hubs[key];
    auto hub = known.lock();
    if (!hub || hub->agents_ == 0 || hub->inherited()) {
        try {
            hub = std::shared_ptr<Hub>(new Hub(key, std::move(setup)));
        } catch (const boost::system::system_error& error) {
            throw Error("channel '" + channel + "': " + error.what());
        }
        hub->connection_->setReceiver(hub);
        known = hub;
    }
    ++hub->agents_;
    return hub;
}

Hub::Hub(std::string key, Connection::Setup setup)
    : key_(std::move(key)),
      channel_(setup.channel),
      process_(processId()),
      connection_(std::make_shared<Connection>(std::move(setup))),
      emitter_(std::make_shared<Emitter>(channel_, *connection_)) {}

Hub::~Hub() {
    emitter_->close();
}

bool Hub::inherited() const {
    return processId() != process_;
}

void Hub::abandon() {
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    registry.abandoned.push_back(shared_from_this());
}

// True for the last agent.
bool Hub::unregister() {
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    if (--agents_ != 0) return false;
    const auto known = registry.hubs.find(key_);
    // An expired entry cannot be somebody else's: a new hub would have replaced it.
    if (known != registry.hubs.end() && known->second.lock().get() == this) {
        registry.hubs.erase(known);
    }
    return true;
}

void Hub::leave(Mailbox& agent) {
    const bool lastAgent = unregister();
    const bool wait = !Run::inside();
    const auto unsent = std::make_shared<std::promise<std::size_t>>();
    bool closes = false;
    {
        const std::lock_guard lock(mutex_);
        closes = removeMember(agent) || lastAgent;
        if (closes) {
            connection_->disconnect(closingTime, [=, connection = connection_](std::size_t count) {
                if (lastAgent && !wait) connection->stop(false);
                unsent->set_value(count);
            });
        }
    }
    if (closes && wait) {
        if (const std::size_t count = unsent->get_future().get()) {
            agent.failed(unsentReport(count));
        }
        if (lastAgent) connection_->stop(true);
    }
}

// -- members

std::vector<Hub::Member>::iterator Hub::findMember(const Mailbox& agent) {
    return std::find_if(members_.begin(), members_.end(),
                        [&](const Member& member) { return member.agent.get() == &agent; });
}

// True when it was one, and the last.
bool Hub::removeMember(Mailbox& agent) {
    const auto member = findMember(agent);
    if (member == members_.end()) return false;
    members_.erase(member);
    emitter_->setRemote(agent, false);
    forgetNodes(agent);
    return members_.empty();
}

std::vector<std::shared_ptr<Mailbox>> Hub::members() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Mailbox>> agents;
    agents.reserve(members_.size());
    for (const Member& member : members_) agents.push_back(member.agent);
    return agents;
}

void Hub::connect(const std::shared_ptr<Mailbox>& agent, std::chrono::milliseconds timeout,
                  Connection::Done done) {
    const std::lock_guard lock(mutex_);
    auto member = findMember(*agent);
    if (member == members_.end()) member = members_.insert(member, Member{agent});
    ++member->connecting;
    emitter_->setRemote(*agent, true);
    connection_->connect(
        timeout, [hub = weak_from_this(), agent, done = std::move(done)](const std::string& error) {
            const auto self = hub.lock();
            done(self ? self->connectEnded(agent, error) : "the agent is gone");
        });
}

// Returns the error to tell. An agent whose first connect failed is no member.
std::string Hub::connectEnded(const std::shared_ptr<Mailbox>& agent, const std::string& error) {
    {
        const std::lock_guard lock(mutex_);
        const auto member = findMember(*agent);
        if (member == members_.end()) return error.empty() ? "disconnected" : error;
        --member->connecting;
        if (!error.empty()) {
            const bool stays = member->established || member->connecting != 0;
            if (!stays && removeMember(*agent)) {
                connection_->disconnect(std::chrono::milliseconds(0), [agent](std::size_t count) {
                    if (count != 0) agent->trouble(unsentReport(count));
                });
            }
            return error;
        }
        member->established = true;
    }
    agent->connected();
    agent->around(around_, {Change::What::all});
    return {};
}

void Hub::sync(const Mailbox& agent, std::chrono::milliseconds timeout, Connection::Done done) {
    if (!agent.hearsRemote()) {
        if (!connection_->started()) return done("not connected");
        return connection_->post([done = std::move(done)] { done("not connected"); });
    }
    connection_->sync(timeout, std::move(done));
}

void Hub::disconnect(const std::shared_ptr<Mailbox>& agent) {
    const std::lock_guard lock(mutex_);
    if (findMember(*agent) == members_.end()) return;
    if (removeMember(*agent)) {
        connection_->disconnect(closingTime, [agent](std::size_t count) {
            if (count != 0) agent->trouble(unsentReport(count));
        });
    }
    connection_->post([agent] { agent->disconnected("disconnect was called"); });
}

void Hub::tellAround(const std::shared_ptr<Mailbox>& agent) {
    connection_->post([hub = weak_from_this(), weak = std::weak_ptr<Mailbox>(agent)] {
        const auto self = hub.lock();
        const auto mailbox = weak.lock();
        if (self && mailbox && mailbox->hearsRemote()) {
            mailbox->around(self->around_, {Change::What::all});
        }
    });
}

// -- emitting

// The last thing an emit does, for a listener may destroy the agent and with it this hub: what is
// used here after the first listener has run belongs to the caller or to the Hearing.
inline void Hub::deliver(Hearing& hearing, const Mailbox& from, std::string_view name,
                         const Json* data, std::string_view bytes,
                         const EmitOptions& options) const {
    LocalEvent local;
    local.name = name;
    local.data = data;
    local.bytes = bytes;
    local.channel = emitter_->channel();
    local.sender = emitter_->sender();
    local.broadcast = options.broadcast;
    local.to = options.to;
    local.id = options.id;
    local.replyTo = options.replyTo;
    hearing.run(EventAccess::local(local), &from);
}

// Does not ask anybody: what it knows of others' wishes it has been told before.
inline bool Hub::leaves(Hearing& hearing, const Mailbox& from, std::string_view event,
                        const EmitOptions& options) const {
    return options.scope != Scope::process && from.hearsRemote() &&
           connection_->unwanted().mayBeWanted(event, reachOf(options), hearing.unwanted());
}

Emitted Hub::emit(const Mailbox& from, std::string_view event, const Json& data,
                  const EmitOptions& options) {
    checkReserved(event, channel_);
    const bool isForUs = !hasAddress(options) || isMeant(options);
    Hearing hearing(*emitter_, event);
    const std::size_t least = checkData(event, data);
    if (options.scope != Scope::process) checkSize(event, least, connection_->maxEvent());
    Emitted emitted = Emitted::accepted;
    if (leaves(hearing, from, event, options)) {
        const std::string text = data.dump();
        checkSize(event, text.size(), connection_->maxEvent());
        emitted = send(event, text, 0, options);
    }
    if (isForUs && !hearing.empty()) deliver(hearing, from, event, &data, {}, options);
    return emitted;
}

Emitted Hub::emitBytes(const Mailbox& from, std::string_view event,
                       std::span<const std::byte> bytes, const EmitOptions& options) {
    checkReserved(event, channel_);
    const bool isForUs = !hasAddress(options) || isMeant(options);
    Hearing hearing(*emitter_, event);
    if (options.scope != Scope::process) {
        checkSize(event, bytes.size(), connection_->maxEvent());
    }
    const std::string_view payload(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Emitted emitted = Emitted::accepted;
    if (leaves(hearing, from, event, options))
        emitted = send(event, payload, wire::bytesFlag, options);
    if (isForUs && !hearing.empty()) deliver(hearing, from, event, nullptr, payload, options);
    return emitted;
}

Emitted Hub::send(std::string_view event, std::string_view payload, std::uint8_t flags,
                  const EmitOptions& options) {
    wire::EventView view;
    view.flags = static_cast<std::uint8_t>(flags | reachOf(options));
    view.name = event;
    view.channel = channel_;
    view.to = options.to;
    view.id = options.id;
    view.replyTo = options.replyTo;
    view.payload = payload;
    return connection_->send(view);
}

// -- what the connection tells

void Hub::onEvents(const wire::EventRun& events) {
    if (events.first.name.starts_with(wire::reservedPrefix) && takeNotices(events)) return;
    const std::size_t beforeData = events.first.whole.size() - events.first.payload.size();
    std::string_view rest = events.frames;
    std::string_view frame;
    Event event = EventAccess::blank();
    EventAccess::fill(event, events.first);
    std::shared_ptr<const KeptEvent> kept;  // one copy for all who hear it later
    const std::function<void(Owner&)> postpone = [&](Owner& owner) {
        if (!kept) kept = std::make_shared<const KeptEvent>(events.event(frame));
        static_cast<Mailbox&>(owner).keep(kept);
    };
    try {
        while (!rest.empty()) {
            Hearing hearing(*emitter_, events.first.name);
            do {
                frame = rest.substr(0, wire::frameSize(rest));
                rest.remove_prefix(frame.size());
                EventAccess::refill(event, frame.substr(beforeData));
                kept.reset();
                hearing.runRemote(event, postpone);
            } while (!rest.empty() && hearing.current());
        }
    } catch (const Error& error) {
        onTrouble(std::string("an event was not delivered: ") + error.what());
    }
}

// True when that is all there is to do with them: on `control` they are events, too.
bool Hub::takeNotices(const wire::EventRun& events) {
    if (!isNotice(events.first.name) && !isAnswer(events.first.name)) return false;
    wire::forEachFrame(events.frames,
                       [&](std::string_view frame) { takeNotice(events.event(frame)); });
    return channel_ != control::channel;
}

void Hub::takeNotice(const wire::EventView& event) {
    if (isAnswer(event.name)) return takeAnswer(event);
    if (const auto gap = readGapNotice(event.name, event.payload)) {
        for (const auto& agent : members()) agent->gap(*gap);
        return;
    }
    Change change;
    {
        const std::lock_guard lock(aroundMutex_);
        change = netcluster::takeNotice(around_, event.name, event.payload);
    }
    nodeLost(change);
    if (!awaitsAnswer(change)) tell(change);
}

void Hub::tell(const Change& change) {
    if (welcoming_ || change.what == Change::What::nothing) return;
    for (const auto& agent : members()) agent->around(around_, change);
}

void Hub::onGap(const wire::Gap& gap) {
    for (const auto& agent : members()) agent->gap({gap.count, gap.first, gap.last});
}

void Hub::onWelcomed() {
    welcoming_ = true;
    const std::lock_guard lock(aroundMutex_);
    around_.doubtAll();
}

void Hub::onOnline() {
    if (const auto welcome = connection_->welcome()) {
        emitter_->setSender(welcome->client);
        // A daemon that does not tell of anybody knows nobody.
        if (!(welcome->capabilities & wire::noticesCapability)) {
            const std::lock_guard lock(aroundMutex_);
            around_ = {};
        }
    }
    welcoming_ = false;
    for (const auto& agent : members()) {
        agent->connected();
        agent->around(around_, {Change::What::all});
    }
    watchStats();
}

void Hub::onOffline(const std::string& reason) {
    ownNodes_.unanswered();
    endAsking(nullptr, "the connection was lost: " + reason);
    watchStats();
    for (const auto& agent : members()) agent->disconnected(reason);
}

void Hub::onTrouble(const std::string& what) {
    for (const auto& agent : members()) agent->trouble(what);
}

}  // namespace netcluster
