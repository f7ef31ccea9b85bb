// Agent: the public face. It checks who may call, and passes on to its Hub and its Mailbox.
#include <future>
#include <netcluster/agent.hpp>

#include "hub.hpp"
#include "node_codec.hpp"

namespace netcluster {
namespace {

// The outcome of something that the connection's thread does, for a thread that waits.
class Outcome {
  public:
    Connection::Done done() const {
        return [promise = promise_](const std::string& error) { promise->set_value(error); };
    }
    void await() const {
        const std::string error = promise_->get_future().get();
        if (!error.empty()) throw Error(error);
    }

  private:
    std::shared_ptr<std::promise<std::string>> promise_ =
        std::make_shared<std::promise<std::string>>();
};

void mayWait(const char* what) {
    if (Run::inside()) {
        throw Error(std::string(what) + " must not be called from a listener: it would wait for " +
                    "the thread it runs on (use " + what + "Async)");
    }
}

}  // namespace

class Agent::Impl {
  public:
    Impl(const std::string& channel, const Options& options)
        : channel_(channel),
          place_(Mailbox::placeFor(options)),
          hub_(Hub::enter(channel, options)),
          mailbox_(std::make_shared<Mailbox>(hub_->emitter(), channel_, options)) {}

    ~Impl() {
        if (hub_->inherited()) {
            hub_->abandon();
            return;
        }
        emitter().removeAll(*mailbox_);
        hub_->leave(*mailbox_);
        mailbox_->close();
    }

    Emitter& emitter() const { return *hub_->emitter(); }

    Listener listen(std::string_view pattern, Handler handler, ListenOptions options,
                    Emitter::Times times) const {
        Emitter::Wish wish;
        wish.times = times;
        wish.skipOwn = options.skipOwn;
        return {emitter().add(mailbox_, pattern, std::move(handler), wish)};
    }

    /// A callback of the user, run where its handlers run.
    Connection::Done told(std::function<void(const std::string&)> done) const {
        return [mailbox = mailbox_, done = std::move(done)](const std::string& error) {
            mailbox->complete([done, error] {
                if (done) done(error);
            });
        };
    }

    const std::string channel_;
    const Mailbox::Place place_;
    const std::shared_ptr<Hub> hub_;
    const std::shared_ptr<Mailbox> mailbox_;
};

Agent::Agent(std::string channel, Options options)
    : impl_(std::make_unique<Impl>(channel, options)) {}
Agent::~Agent() = default;

// -- connection

void Agent::connect(std::chrono::milliseconds timeout) {
    mayWait("connect");
    const Outcome outcome;
    impl_->hub_->connect(impl_->mailbox_, timeout, outcome.done());
    outcome.await();
}

void Agent::connectAsync(std::function<void(const std::string& error)> done,
                         std::chrono::milliseconds timeout) {
    impl_->hub_->connect(impl_->mailbox_, timeout, impl_->told(std::move(done)));
}

bool Agent::connected() const {
    return impl_->mailbox_->hearsRemote() && impl_->hub_->connection().online();
}

void Agent::disconnect() {
    impl_->hub_->disconnect(impl_->mailbox_);
}

void Agent::sync(std::chrono::milliseconds timeout) {
    mayWait("sync");
    const Outcome outcome;
    impl_->hub_->sync(*impl_->mailbox_, timeout, outcome.done());
    outcome.await();
}

void Agent::syncAsync(std::function<void(const std::string& error)> done,
                      std::chrono::milliseconds timeout) {
    impl_->hub_->sync(*impl_->mailbox_, timeout, impl_->told(std::move(done)));
}

// -- emitting

Emitted Agent::emit(std::string_view event, const Json& data, const EmitOptions& options) {
    return impl_->hub_->emit(*impl_->mailbox_, event, data, options);
}

Emitted Agent::emitBytes(std::string_view event, std::span<const std::byte> bytes,
                         const EmitOptions& options) {
    return impl_->hub_->emitBytes(*impl_->mailbox_, event, bytes, options);
}

// -- listening

Listener Agent::on(std::string_view pattern, Handler handler, ListenOptions options) {
    return impl_->listen(pattern, std::move(handler), options, Emitter::Times::always);
}

Listener Agent::once(std::string_view pattern, Handler handler, ListenOptions options) {
    return impl_->listen(pattern, std::move(handler), options, Emitter::Times::once);
}

bool Agent::removeListener(Listener listener) {
    return impl_->emitter().remove(*impl_->mailbox_, listener.id);
}

bool Agent::removeListener(std::string_view pattern, Listener listener) {
    return impl_->emitter().remove(*impl_->mailbox_, listener.id, pattern);
}

void Agent::removeAllListeners() {
    impl_->emitter().removeAll(*impl_->mailbox_);
}

void Agent::removeAllListeners(std::string_view pattern) {
    impl_->emitter().removeAll(*impl_->mailbox_, pattern);
}

std::size_t Agent::listenerCount() const {
    return impl_->emitter().count(*impl_->mailbox_);
}

std::size_t Agent::listenerCount(std::string_view pattern) const {
    return impl_->emitter().count(*impl_->mailbox_, pattern);
}

std::vector<std::string> Agent::eventNames() const {
    return impl_->emitter().patterns(*impl_->mailbox_);
}

// -- nodes

std::string Agent::registerNode(NodeDescription node, std::chrono::milliseconds timeout) {
    mayWait("registerNode");
    if (node.id.empty()) node.id = impl_->hub_->defaultNodeId();
    std::string id = node.id;
    const Outcome outcome;
    impl_->hub_->registerNode(impl_->mailbox_, std::move(node), timeout, outcome.done());
    outcome.await();
    return id;
}

void Agent::registerNodeAsync(NodeDescription node,
                              std::function<void(const std::string& error)> done,
                              std::chrono::milliseconds timeout) {
    if (node.id.empty()) node.id = impl_->hub_->defaultNodeId();
    impl_->hub_->registerNode(impl_->mailbox_, std::move(node), timeout,
                              impl_->told(std::move(done)));
}

bool Agent::unregisterNode(std::string_view id) {
    return impl_->hub_->unregisterNode(*impl_->mailbox_, id);
}

std::vector<Node> Agent::nodes() const {
    return impl_->hub_->nodes(nullptr);
}

std::vector<Node> Agent::nodes(std::string_view target) const {
    const Target compiled = compiledTarget(target);
    return impl_->hub_->nodes(&compiled);
}

void Agent::reportStats(const Json& members) {
    impl_->hub_->reportStats(members);
}

// -- what happens beside events

void Agent::onConnect(std::function<void()> handler) {
    impl_->mailbox_->setOnConnect(std::move(handler));
}

void Agent::onDisconnect(std::function<void(const std::string& reason)> handler) {
    impl_->mailbox_->setOnDisconnect(std::move(handler));
}

void Agent::onGap(std::function<void(const Gap&)> handler) {
    impl_->mailbox_->setOnGap(std::move(handler));
}

void Agent::onPresence(std::function<void(const Presence&)> handler) {
    impl_->mailbox_->setOnPresence(std::move(handler));
    impl_->hub_->tellAround(impl_->mailbox_);
}

void Agent::onPresenceOfTasks(std::function<void(const Presence&)> handler) {
    impl_->mailbox_->setTasksOnPresence(std::move(handler));
    impl_->hub_->tellAround(impl_->mailbox_);
}

void Agent::onNodeLost(std::function<void(const std::string& id, const std::string& why)> handler) {
    impl_->mailbox_->setOnNodeLost(std::move(handler));
}

void Agent::onError(std::function<void(const std::string& what)> handler) {
    impl_->mailbox_->setOnError(std::move(handler));
}

std::size_t Agent::poll(std::chrono::milliseconds timeout) {
    return impl_->mailbox_->poll(timeout);
}

const std::string& Agent::channel() const {
    return impl_->channel_;
}

std::string Agent::uuid() const {
    const auto welcome = impl_->hub_->connection().welcome();
    return welcome ? wire::uuidText(welcome->client) : std::string();
}

std::string Agent::host() const {
    const auto welcome = impl_->hub_->connection().welcome();
    return welcome ? welcome->host : std::string();
}

}  // namespace netcluster
