// Link: counters, interfaces in use, peers, keys, strangers.
#include <nlohmann/json.hpp>
#include <utility>

#include "link_impl.hpp"

namespace netcluster::daemon {

using nlohmann::json;

json Link::Impl::stats() const {
    const link::Packer::Counts& packed = packer_.counts();
    const link::Sender::Counts& sent = sender_.counts();
    const link::Remote::Counts heard = receiver_.totals();
    return {{"session", wire::uuidText(identity_.session)},
            {"name", identity_.name},
            {"encrypted", sealer_.active()},
            {"sent",
             {{"datagrams", sentDatagrams_},
              {"bytes", sentBytes_},
              {"events", packed.events},
              {"dropped", packed.dropped},
              {"queued", buffer_.waiting() * link::bodyRoom},
              {"repaired", sent.repaired},
              {"asked", sent.asked},
              {"gone", sent.gone},
              {"held", sent.held},
              {"window", sender_.flow().window()}}},
            {"received",
             {{"datagrams", transport_->receivedDatagrams()},
              {"bytes", transport_->receivedBytes()},
              {"own", ownDatagrams_},
              {"duplicates", heard.duplicates + replayDuplicates_},
              {"repaired", heard.repaired},
              {"ahead", heard.ahead},
              {"events", heard.events},
              {"incomplete", receiver_.incomplete()},
              {"overflowed", transport_->overflowed()},
              {"held", receiver_.memoryUsed()}}},
            {"gaps",
             {{"count", heard.gaps},
              {"datagrams", heard.lost},
              {"events", heard.droppedByHost},
              {"resets", heard.resets}}},
            {"buffers",
             {{"receive",
               {{"asked", 2 * link::receiveBuffer}, {"granted", transport_->grantedBuffer()}}},
              {"send",
               {{"asked", 2 * link::sendBuffer}, {"granted", transport_->grantedSendBuffer()}}}}},
            {"relay", relayStats()},
            {"malformed", malformedStats()},
            {"interfaces", transport_->interfaceStats()},
            {"peers", transport_->peerStats()},
            {"unicast", transport_->unicastStats()},
            {"hosts", otherHosts()}};
}

json Link::Impl::malformedStats() const {
    auto counts = json::object();
    for (std::size_t i = 0; i < bad_.size(); ++i) {
        if (bad_[i] == 0) continue;
        counts[std::string(link::badName(static_cast<link::Bad>(i)))] = bad_[i];
    }
    return counts;
}

json Link::Impl::relayStats() const {
    const link::Relay::Counts& counts = relay_.counts();
    return {{"on", relay_.passesOn()},         {"forwarded", counts.passedOn},
            {"covered", counts.covered},       {"duplicates", counts.duplicates},
            {"returned", counts.returned},     {"held", counts.held},
            {"outoforder", counts.outOfOrder}, {"hoplimit", counts.hopLimit},
            {"noroom", counts.noRoom},         {"behind", hostsBehind().size()}};
}

json Link::Impl::strangers() const {
    using std::chrono::milliseconds;
    const Time now = std::chrono::steady_clock::now();
    auto list = json::array();
    for (const auto& [address, stranger] : strangers_.all()) {
        list.push_back(
            {{"address", address.to_string()},
             {"reason", link::badName(stranger.reason)},
             {"count", stranger.count},
             {"lastms", std::chrono::duration_cast<milliseconds>(now - stranger.last).count()}});
    }
    return list;
}

json Link::Impl::keyStats() const {
    auto list = json::array();
    for (const link::Sealer::Counter& key : sealer_.counters()) {
        list.push_back(
            {{"id", key.id}, {"use", link::keyUseName(key.use)}, {"opened", key.opened}});
    }
    return {{"keys", std::move(list)},
            {"forged", sealer_.forged()},
            {"unknownkey", sealer_.unknownKey()}};
}

}  // namespace netcluster::daemon
