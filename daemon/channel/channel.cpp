#include "channel.hpp"

#include <nlohmann/json.hpp>

#include "endpoint.hpp"
#include "identity.hpp"
#include "log.hpp"

namespace netcluster::daemon {
namespace {

local::Acceptor::Rights rightsOf(const config::ChannelSettings& settings) {
    return {settings.mode, settings.group};
}

// What a client reads that came when there was no room left.
void turnAway(local::Stream& stream, const std::string& channel, const std::string& why) {
    std::string packet;
    wire::appendErrorPacket(packet, why, channel);
    const std::string_view piece = packet;
    (void)stream.write({&piece, 1});
    stream.close();
}

}  // namespace

Channel::Channel(SessionContext& context, std::string name, FrameSink& sink,
                 const config::ChannelSettings& settings, const std::string& runDir)
    : context_(context),
      name_(std::move(name)),
      sink_(sink),
      slowConsumer_(settings.slowConsumer),
      rights_(rightsOf(settings)),
      acceptor_(context.io, local::endpointPath(runDir, name_), rights_),
      legacyLink_(std::in_place, local::legacyPath(name_), acceptor_.endpoint(),
                  runDir == local::systemDirectory()) {}

Channel::~Channel() = default;

void Channel::start() {
    acceptor_.start([this](local::Stream stream) { accepted(std::move(stream)); },
                    [](const std::string& trouble) { log::error("{}", trouble); });
}

void Channel::accepted(local::Stream stream) {
    if (context_.clients >= context_.maxClients) {
        turnAway(stream, name_, "the daemon serves as many clients as it may");
        if (!std::exchange(turnedAway_, true)) {
            log::warn("{}: a client was turned away: {} are connected (\"maxclients\")", name_,
                      context_.clients);
        }
        return;
    }
    turnedAway_ = false;
    const wire::Uuid uuid = randomUuid();
    auto session = std::make_shared<Session>(
        context_, SessionHome{name_, sink_, slowConsumer_, *this}, std::move(stream), uuid);
    sessions_.emplace(uuid, session);
    session->start();
}

void Channel::ended(Session& session) {
    droppedBefore_ += session.dropped();
    sessions_.erase(session.uuid());
}

void Channel::apply(const config::ChannelSettings& settings) {
    const local::Acceptor::Rights rights = rightsOf(settings);
    if (rights != rights_) acceptor_.setRights(rights);
    rights_ = rights;
    slowConsumer_ = settings.slowConsumer;
}

void Channel::stopAccepting() {
    acceptor_.stop();
    legacyLink_.reset();
}

void Channel::close(const std::string& reason) {
    stopAccepting();
    // A session that has nothing left to write ends at once, and leaves the map.
    for (auto at = sessions_.begin(); at != sessions_.end();) (at++)->second->close(reason);
}

void Channel::takeLimits(bool newMaxEvent) {
    // A session whose client is gone may end while it is told, and leave the map.
    for (auto at = sessions_.begin(); at != sessions_.end();)
        (at++)->second->takeLimits(newMaxEvent);
}

std::uint64_t Channel::dropped() const {
    std::uint64_t dropped = droppedBefore_;
    for (const auto& [uuid, session] : sessions_) dropped += session->dropped();
    return dropped;
}

nlohmann::json Channel::clientList() const {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& [uuid, session] : sessions_) list.push_back(session->summary());
    return list;
}

bool Channel::has(const wire::Uuid& client) const {
    return sessions_.contains(client);
}

nlohmann::json Channel::client(const std::string& uuid) const {
    const auto found = sessions_.find(wire::uuidFromText(uuid));
    return found == sessions_.end() ? nlohmann::json() : found->second->details();
}

}  // namespace netcluster::daemon
