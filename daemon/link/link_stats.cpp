// What the link tells `stats`: counters, interfaces in use, peers, hosts heard of.
#include <nlohmann/json.hpp>
#include <sstream>

#include "link_impl.hpp"

namespace netcluster::daemon {
namespace {

std::string text(const link::Endpoint& endpoint) {
    std::ostringstream out;
    out << endpoint;
    return out.str();
}

}  // namespace

nlohmann::json Link::Impl::stats() const {
    const Time now = std::chrono::steady_clock::now();
    const link::Packer::Counts& packed = packer_.counts();
    const link::Remote::Counts heard = receiver_.totals();
    return {{"session", wire::uuidText(identity_.session)},
            {"name", identity_.name},
            {"sent",
             {{"datagrams", sentDatagrams_},
              {"bytes", sentBytes_},
              {"events", packed.events},
              {"fragments", packed.fragments},
              {"dropped", packed.dropped},
              {"queued", queue_.bytes()}}},
            {"received",
             {{"datagrams", transport_->receivedDatagrams()},
              {"bytes", transport_->receivedBytes()},
              {"own", ownDatagrams_},
              {"duplicates", heard.duplicates},
              {"events", heard.events},
              {"incomplete", receiver_.incomplete()},
              {"overflowed", transport_->overflowed()},
              {"held", receiver_.memoryUsed()}}},
            {"gaps",
             {{"count", heard.gaps},
              {"datagrams", heard.lost},
              {"events", heard.droppedByHost},
              {"resets", heard.resets}}},
            {"malformed", malformedStats()},
            {"interfaces", transport_->interfaceStats()},
            {"peers", transport_->peerStats()},
            {"hosts", hostStats(now)}};
}

nlohmann::json Link::Impl::malformedStats() const {
    auto counts = nlohmann::json::object();
    for (std::size_t i = 0; i < bad_.size(); ++i) {
        if (bad_[i] == 0) continue;
        counts[std::string(link::badName(static_cast<link::Bad>(i)))] = bad_[i];
    }
    return counts;
}

nlohmann::json Link::Impl::hostStats(Time now) const {
    auto hosts = nlohmann::json::array();
    for (const auto& [session, remote] : receiver_.remotes()) {
        if (!remote->online) continue;
        const auto silence =
            std::chrono::duration_cast<std::chrono::milliseconds>(now - remote->lastHeard);
        const link::Remote::Counts& counts = remote->counts();
        hosts.push_back({{"name", remote->name()},
                         {"id", wire::uuidText(remote->host)},
                         {"session", wire::uuidText(session)},
                         {"address", text(remote->address)},
                         {"version", remote->version},
                         {"uptime", remote->uptime},
                         {"lastheard", silence.count()},
                         {"datagrams", counts.datagrams},
                         {"events", counts.events},
                         {"duplicates", counts.duplicates},
                         {"gaps", counts.gaps},
                         {"lost", counts.lost},
                         {"droppedbyhost", counts.droppedByHost},
                         {"resets", counts.resets}});
    }
    return hosts;
}

}  // namespace netcluster::daemon
