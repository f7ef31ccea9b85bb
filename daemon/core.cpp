#include "core.hpp"

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "core_keys.hpp"
#include "diff.hpp"
#include "host.hpp"
#include "identity.hpp"
#include "log.hpp"
#include "path_text.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;

std::string hostName(const config::Settings& settings) {
    return settings.name.empty() ? systemHostName() : settings.name;
}

bool wanted(const config::Settings& settings, const std::string& channel) {
    return settings.channels.contains(channel) &&
           (channel != config::controlChannel || settings.startControl);
}

std::vector<std::string> texts(const std::vector<config::Problem>& problems) {
    std::vector<std::string> lines;
    lines.reserve(problems.size());
    for (const config::Problem& problem : problems) lines.push_back(problem.text());
    return lines;
}

// Whether one link can serve both. Keys it takes as it goes.
bool sameLink(const config::Settings& a, const config::Settings& b) {
    config::LinkSettings link = a.link;
    link.netKeyFile = b.link.netKeyFile;
    return link == b.link && hostName(a) == hostName(b) && a.maxEvent == b.maxEvent;
}

// A key file that is refused refuses the whole configuration.
link::Keyring reloadedKeys(const config::Settings& settings, const std::string& configFile) {
    try {
        return loadKeys(settings, configFile);
    } catch (const Error& error) {
        throw ConfigRefused("the key file is refused; nothing has changed", {error.what()});
    }
}

void warnIfUnprotected(const config::Settings& settings, const link::Keyring& keys) {
    if (!settings.link.connectToNet || !keys.empty()) return;
    log::warn(
        "link: neither encrypted nor authenticated, since there is no key file: "
        "whoever is in the network can read events, and send them as any host (docs/security.md)");
}

}  // namespace

Core::Core(boost::asio::io_context& io, config::Settings settings, std::string configFile,
           const std::string& runDir)
    : io_(io),
      settings_(std::move(settings)),
      configFile_(std::move(configFile)),
      runDir_(runDir),
      nodes_(io, router_, hostIdentity(runDir_.path()), hostName(settings_)),
      control_(*this, router_),
      budget_(settings_.processQueue),
      context_{.io = io,
               .router = router_,
               .budget = budget_,
               .patterns = patterns_,
               .generation = generation_,
               .standing = [this] { return standingNotices(); }},
      hostsTimer_(io) {
    router_.setAddressing(&nodes_);
}

Core::~Core() = default;

// -- start and stop ----------------------------------------------------------------------------

void Core::open() {
    keys_ = loadKeys(settings_, configFile_);
    warnIfUnprotected(settings_, keys_);
    setLimits(settings_);
    router_.apply(settings_);
    channels_ = openMissing(settings_);
    link_ = openLink(settings_, keys_);
    router_.setLink(link_.get());
    awaitHosts(settings_.link.heartbeat);
    for (const auto& [name, channel] : channels_) channel->start();
}

void Core::close() {
    for (const auto& [name, channel] : channels_) channel->close("the daemon stops");
    router_.setLink(nullptr);
    if (link_) link_->close();
    hostsTimer_.cancel();
    nodes_.close();
}

void Core::setLimits(const config::Settings& settings) {
    const bool newMaxEvent = context_.maxEvent != settings.maxEvent;
    context_.hostName = hostName(settings);
    context_.maxEvent = settings.maxEvent;
    nodes_.takeLimits(context_.hostName, settings.maxEvent);
    context_.clientQueue = settings.clientQueue;
    context_.maxClients = settings.maxClients;
    context_.stallTimeout = settings.stallTimeout;
    budget_.setCap(settings.processQueue);
    for (const auto& [name, channel] : channels_) channel->takeLimits(newMaxEvent);
}

std::unique_ptr<Link> Core::openLink(const config::Settings& settings, const link::Keyring& keys) {
    if (!settings.link.connectToNet) return nullptr;
    // A session of its own for each link: its numbers start anew.
    LinkIdentity identity{randomUuid(), hostIdentity(runDir_.path()), hostName(settings)};
    auto link =
        std::make_unique<Link>(io_, settings.link, identity, keys, settings.maxEvent, router_);
    link->describe([this] { return describeHost(); });
    link->open();
    return link;
}

Core::Channels Core::openMissing(const config::Settings& settings) {
    Channels opened;
    for (const auto& [name, channel] : settings.channels) {
        if (!wanted(settings, name) || channels_.contains(name)) continue;
        FrameSink& sink =
            name == config::controlChannel ? static_cast<FrameSink&>(control_) : router_;
        opened[name] = std::make_shared<Channel>(context_, name, sink, channel, runDir_.path());
    }
    return opened;
}

// -- reload ------------------------------------------------------------------------------------

json Core::reloadFile(const std::string& path) {
    const std::string file = path.empty() ? configFile_ : path;
    if (file.empty()) throw Error("no configuration file is in force; name one");
    return reload(config::load(config::pathFromText(file)), file);
}

json Core::reloadText(std::string_view text) {
    return reload(config::parse(text, "(request)"), configFile_);
}

json Core::reload(config::Parsed parsed, const std::string& file) {
    try {
        json answer = take(std::move(parsed), file);
        refused_.clear();
        return answer;
    } catch (const ConfigRefused& refused) {
        refused_ = refused.problems.empty() ? refused.what() : refused.problems.front();
        throw;
    } catch (const Error& error) {
        refused_ = error.what();
        throw;
    }
}

json Core::take(config::Parsed parsed, const std::string& file) {
    if (!parsed.settings) {
        const std::size_t count = parsed.problems.size();
        throw ConfigRefused("the configuration is refused (" + std::to_string(count) +
                                (count == 1 ? " problem" : " problems") + "); nothing has changed",
                            texts(parsed.problems));
    }
    const config::Settings& next = *parsed.settings;
    auto changes = config::diff(settings_, next);

    // What can fail comes first and undoes itself; from `router_.apply` on nothing can.
    link::Keyring keys = reloadedKeys(next, file);
    Channels opened = openMissing(next);
    applyRights(next);
    if (!sameLink(settings_, next) || next.link.connectToNet != (link_ != nullptr)) {
        replaceLink(next, keys);
    } else if (link_ && keys != keys_) {
        link_->setKeys(keys);
    }
    if (!keys_.empty() || !settings_.link.connectToNet) warnIfUnprotected(next, keys);
    if (keys != keys_ && settings_.link.netKeyFile == next.link.netKeyFile) {
        changes.push_back({"/netkeyfile", usesOf(keys_), usesOf(keys)});
    }
    keys_ = std::move(keys);

    setLimits(next);
    closeUnwanted(next);
    router_.apply(next);
    channels_.merge(opened);
    for (const auto& [name, channel] : channels_) {
        if (!settings_.channels.contains(name) || !wanted(settings_, name)) channel->start();
    }
    settings_ = next;
    configFile_ = file;

    json changed = json::array();
    for (const config::Change& change : changes) {
        changed.push_back(
            {{"pointer", change.pointer}, {"before", change.before}, {"after", change.after}});
    }
    log::info("configuration {} taken: {} keys changed", file.empty() ? "of the request" : file,
              changes.size());
    return {{"status", "done"},
            {"file", file},
            {"changed", std::move(changed)},
            {"restart", json::array()},
            {"warnings", texts(parsed.warnings)}};
}

void Core::applyRights(const config::Settings& next) {
    std::vector<std::string> done;
    try {
        for (const auto& [name, channel] : channels_) {
            if (!wanted(next, name)) continue;
            channel->apply(next.channels.at(name));
            done.push_back(name);
        }
    } catch (const Error&) {
        for (const std::string& name : done) channels_.at(name)->apply(settings_.channels.at(name));
        throw;
    }
}

// The old link lets go first: both may want the same port.
void Core::replaceLink(const config::Settings& next, const link::Keyring& keys) {
    const auto known = hostsOnline();
    router_.setLink(nullptr);
    if (link_) link_->close();
    tellForgotten(known);
    try {
        link_ = openLink(next, keys);
    } catch (const Error&) {
        try {
            link_ = openLink(settings_, keys_);
        } catch (const Error& again) {
            link_.reset();
            log::error("the link is down, for it could not be opened again: {}", again.what());
        }
        router_.setLink(link_.get());
        awaitHosts(settings_.link.heartbeat);
        for (const auto& [name, channel] : channels_) {
            if (settings_.channels.contains(name)) channel->apply(settings_.channels.at(name));
        }
        throw;
    }
    router_.setLink(link_.get());
    awaitHosts(next.link.heartbeat);
}

void Core::closeUnwanted(const config::Settings& next) {
    std::erase_if(leaving_, [](const auto& channel) { return channel->clients() == 0; });
    for (auto at = channels_.begin(); at != channels_.end();) {
        if (wanted(next, at->first)) {
            ++at;
            continue;
        }
        // Its clients go after this turn: one of them may have asked for the reload, and is
        // answered.
        at->second->stopAccepting();
        boost::asio::post(
            io_, [channel = at->second] { channel->close("the channel was removed by a reload"); });
        leaving_.push_back(std::move(at->second));
        at = channels_.erase(at);
    }
}

// -- what ncctl shows --------------------------------------------------------------------------

json Core::showConfig() {
    return config::toJson(settings_);
}

Channel& Core::find(const std::string& name) const {
    const auto found = channels_.find(name);
    if (found == channels_.end()) throw Error("no channel named \"" + name + "\"");
    return *found->second;
}

json Core::channelStats(const Channel& channel) const {
    json stats{{"clients", channel.clients()}, {"dropped", channel.dropped()}};
    if (const ChannelCounters* counters = router_.counters(channel.name())) {
        stats["received"] = counters->received;
        stats["fromnet"] = counters->fromNet;
        stats["delivered"] = counters->delivered;
        stats["refused"] = counters->refused;
    }
    return stats;
}

json Core::showChannel(const std::string& name) {
    const Channel& channel = find(name);
    json answer = channelStats(channel);
    answer["channel"] = name;
    answer["endpoint"] = channel.endpoint();
    answer["rules"] = config::toJson(settings_)["channels"][name];
    const ChannelRules* rules = router_.table().find(name);
    answer["targets"] = rules ? json(rules->targets) : json::array();
    answer["clients"] = channel.clientList();
    return answer;
}

json Core::showClient(const std::string& channel, const std::string& client) {
    json answer = find(channel).client(client);
    if (answer.is_null()) {
        throw Error("channel \"" + channel + "\" has no client \"" + client + "\"");
    }
    return answer;
}

json Core::stats() {
    json channels = json::object();
    for (const auto& [name, channel] : channels_) channels[name] = channelStats(*channel);
    const NetCounters& net = router_.netCounters();
    json link = link_ ? link_->stats() : json::object();
    link["connected"] = link_ != nullptr;
    link["encrypted"] = !keys_.empty();
    if (link_ && !keys_.empty()) link["encryption"] = link_->keyStats();
    link["events"] = {{"sent", net.sent},
                      {"received", net.received},
                      {"nochannel", net.noChannel},
                      {"notaccepted", net.notAccepted}};
    const auto uptime = std::chrono::steady_clock::now() - since_;
    return {{"version", NETCLUSTER_VERSION},
            {"pid", processId()},
            {"host", context_.hostName},
            {"uptime", std::chrono::duration<double>(uptime).count()},
            {"rundir", runDir_.path()},
            {"config", configFile_},
            {"clients", context_.clients},
            {"queued", budget_.used()},
            {"channels", std::move(channels)},
            {"link", std::move(link)}};
}

}  // namespace netcluster::daemon
