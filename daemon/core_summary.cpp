// Core: what it says of itself in one line.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core.hpp"

namespace netcluster::daemon {
namespace {

std::string counted(std::size_t count, const std::string& thing) {
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::size_t othersOnline(const nlohmann::json& hosts) {
    return static_cast<std::size_t>(std::count_if(hosts.begin(), hosts.end(), [](const auto& host) {
        return host.value("online", false) && !host.value("self", false);
    }));
}

}  // namespace

std::string Core::summary() const {
    std::string text =
        counted(channels_.size(), "channel") + ", " + counted(context_.clients, "client") + ", ";
    if (link_) {
        text += counted(othersOnline(link_->hosts()), "other host");
    } else {
        text += settings_.link.connectToNet ? "the link is down" : "no link";
    }
    if (!refused_.empty()) {
        text += "; the last reload was refused and changed nothing: " + refused_;
    }
    return text;
}

}  // namespace netcluster::daemon
