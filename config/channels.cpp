#include "channels.hpp"

#include "section.hpp"

namespace netcluster::config {
namespace {

// The Node package let `control` take part in everything, and its configurations may still say so:
// they load, and `control` stays out of it.
void keepControlApart(const Value& value, ChannelSettings& control) {
    struct Denied {
        std::string_view key;
        bool asked;
    };
    const bool hears = control.acceptFromNet.kind != EventFilter::Kind::none;
    const bool speaks = control.propagateToNet.kind != EventFilter::Kind::none;
    for (const auto& [key, asked] :
         {Denied{"propagatetochannels", control.propagateToChannels.has_value()},
          Denied{"propagatetonet", speaks}, Denied{"acceptfromnet", hears},
          Denied{"allowbroadcast", control.allowBroadcast}}) {
        const auto* member = asked ? value.node.find(key) : nullptr;
        if (member == nullptr) continue;
        value.report.warning(member->value.place, value.pointer + pointerStep(key),
                             "ignored: no event ever propagates into or out of control");
    }
    const ChannelSettings apart = controlDefaults();
    control.propagateToChannels = apart.propagateToChannels;
    control.propagateToNet = apart.propagateToNet;
    control.acceptFromNet = apart.acceptFromNet;
    control.allowBroadcast = apart.allowBroadcast;
}

void warnOfOpenControl(const Value& value, const ChannelSettings& control) {
    constexpr std::uint32_t othersMayWrite = 0002;
    const auto* mode = value.node.find("mode");
    if (mode == nullptr || (control.mode & othersMayWrite) == 0) return;
    value.report.warning(mode->value.place, value.pointer + "/mode",
                         "every user of this host may administer the daemon");
}

ChannelSettings readChannel(const Value& value, const std::string& name) {
    const bool isControl = name == controlChannel;
    ChannelSettings channel = isControl ? controlDefaults() : ChannelSettings{};
    const auto* members = value.node.as<Node::Object>();
    if (members == nullptr) {
        value.mustBe("an object");
        return channel;
    }
    readSection(value, *members, channelKeys(), channel, [&](const Member& member) {
        reportUnknownKey(member, value, channelKeyNames(), documentKeyNames(),
                         "beside \"channels\", not inside a channel");
    });
    if (isControl) {
        keepControlApart(value, channel);
        warnOfOpenControl(value, channel);
    }
    return channel;
}

// Its name becomes a file name, so this is also what keeps "../x" out of the file system.
bool checkName(const Member& member, const Value& channels) {
    if (validChannelName(member.key)) return true;
    channels.report.problem(
        member.place, channels.pointer + pointerStep(member.key),
        inQuotes(member.key) + " is no channel name: 1 to 64 of A-Z a-z 0-9 . _ -, no dot first");
    return false;
}

}  // namespace

void readChannels(const Value& value, std::map<std::string, ChannelSettings>& channels) {
    const auto* members = value.node.as<Node::Object>();
    if (members == nullptr) return value.mustBe("an object");
    for (const auto& member : *members) {
        const Value entry{member.value, value.pointer + pointerStep(member.key), value.report};
        const ChannelSettings channel = readChannel(entry, member.key);
        if (checkName(member, value)) channels.emplace(member.key, channel);
    }
    if (members->size() > mostChannels) {
        value.wrong("may have at most " + std::to_string(mostChannels) + " channels, this has " +
                    std::to_string(members->size()));
    }
    if (value.node.find(controlChannel) == nullptr) {
        value.wrong("the channel \"control\" is missing; every configuration must have it");
    }
}

}  // namespace netcluster::config
