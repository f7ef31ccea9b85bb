// The words for what is wrong with a datagram.
#include "datagram.hpp"

namespace netcluster::daemon::link {
namespace {

struct BadText {
    std::string_view name;
    std::string_view meaning;
};
// In the order of Bad.
constexpr std::array<BadText, badReasons> badTexts{{
    {"none", "nothing is wrong"},
    {"truncated", "longer than any datagram of this protocol"},
    {"tooshort", "too short"},
    {"foreign", "not of this protocol"},
    {"version", "another version of the protocol"},
    {"type", "an unknown type"},
    {"flags", "unknown flags"},
    {"encrypted", "encrypted, and this host has no key file"},
    {"notencrypted", "not encrypted, and this host has a key file"},
    {"unknownkey", "encrypted with a key that this host does not have"},
    {"forged", "its key is not ours, or it was changed on the way"},
    {"replayed", "a session that did not prove that it is alive"},
    {"number", "an impossible number"},
    {"body", "lengths that do not fit"},
    {"hostname", "a bad host name, or another name or host id than its session began with"},
    {"event", "bytes that are no event"},
    {"eventname", "a bad event name"},
    {"reservedname", "a reserved event name"},
    {"channel", "a bad channel name"},
    {"toolarge", "more data than maxevent"},
    {"json", "data that is not JSON"},
    {"toomanysessions", "more sessions than there are places"},
    {"nomemory", "more unfinished messages than there is memory for"},
    {"afterend", "sent after its session had ended"},
    {"relayed", "a relayed message that is none"},
}};

}  // namespace

std::string_view badName(Bad reason) {
    return badTexts[static_cast<std::size_t>(reason)].name;
}

std::string_view badMeaning(Bad reason) {
    return badTexts[static_cast<std::size_t>(reason)].meaning;
}

}  // namespace netcluster::daemon::link
