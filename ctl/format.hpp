// Answers of the daemon, and events, as text for people. Pure: values in, text out, each text
// ending with a newline. Keys that this version does not know are shown too, after the known ones,
// and an answer of another shape than docs/control-protocol.md draws is shown as JSON; nothing
// throws. All text is safe for a terminal (escape.hpp). Any thread.
#pragma once

#include <netcluster/event.hpp>
#include <string>
#include <string_view>

namespace netcluster::ctl {

std::string configText(const Json& answer);
std::string reloadText(const Json& answer);
std::string channelText(const Json& answer);
std::string clientText(const Json& answer);
std::string keysText(const Json& answer);
std::string statsText(const Json& answer);

/// "no such channel" and, below, each of the problems that came with it.
std::string errorText(const Json& answer);

/// What `listen` shows of an event.
struct SeenEvent {
    std::string_view event;
    const Json& data;
    std::string_view channel;
    std::string_view sender;
    bool broadcast = false;
    std::string_view host{}, to{}, id{}, replyTo{};
};

/// `EVENT DATA`, one line.
std::string eventText(const SeenEvent& seen);
/// One JSON object, one line; the keys that may be empty (host, to, id, replyto) only when they are
/// not.
std::string eventJson(const SeenEvent& seen);

}  // namespace netcluster::ctl
