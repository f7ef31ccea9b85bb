#include "peers_file.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <fstream>
#include <iterator>
#include <map>

#include "address_text.hpp"
#include "path_text.hpp"

namespace netcluster::cluster {
namespace {

namespace ip = boost::asio::ip;

// Reason: 65 servers need less than a tenth of it, comments of editors and blanks included.
constexpr std::size_t maxFile = 64 << 10;

[[noreturn]] void refuse(const std::string& name, std::size_t line, const std::string& why) {
    throw Error(name + ":" + std::to_string(line) + ": " + why);
}

Json objectOf(const std::string& name, std::size_t line, std::string_view text) {
    Json object = Json::parse(text, nullptr, false);
    if (!object.is_object()) {
        refuse(name, line, "not an object on one line, as {\"Pid\": 5, \"Addr\": \"host:port\"}");
    }
    return object;
}

Pid pidOf(const std::string& name, std::size_t line, const Json& object) {
    const auto pid = object.find("Pid");
    if (pid == object.end()) refuse(name, line, "\"Pid\" is missing");
    if (!pid->is_number_unsigned() || pid->get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
        refuse(name, line, "\"Pid\" is not a whole number from 0 on");
    }
    return pid->get<Pid>();
}

PeerEntry entryOf(const std::string& name, std::size_t line, std::string_view text) {
    const Json object = objectOf(name, line, text);
    PeerEntry entry;
    entry.line = line;
    entry.pid = pidOf(name, line, object);
    const auto addr = object.find("Addr");
    if (addr == object.end()) refuse(name, line, "\"Addr\" is missing");
    const auto split = addr->is_string()
                           ? config::splitHostPort(addr->get_ref<const std::string&>())
                           : std::nullopt;
    if (!split) refuse(name, line, "\"Addr\" is not \"host:port\" or \"[IPv6 address]:port\"");
    entry.addr = addr->get<std::string>();
    entry.host = split->host;
    entry.port = split->port;
    return entry;
}

// The same for all ways to write an address in digits; names stay as they are.
std::string normalised(const PeerEntry& entry) {
    boost::system::error_code notDigits;
    ip::address address = ip::make_address(entry.host, notDigits);
    if (notDigits) return entry.host + ":" + std::to_string(entry.port);
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
    }
    return address.to_string() + " " + std::to_string(entry.port);
}

std::vector<PeerEntry> entriesOf(std::string_view text, const std::string& name) {
    std::vector<PeerEntry> entries;
    std::map<Pid, std::size_t> pids;
    std::map<std::string, std::size_t> addresses;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        PeerEntry entry = entryOf(name, line, one);
        const auto [pid, newPid] = pids.try_emplace(entry.pid, line);
        if (!newPid) {
            refuse(name, line,
                   "pid " + std::to_string(entry.pid) + " is that of line " +
                       std::to_string(pid->second) + " already");
        }
        const auto [address, newAddress] = addresses.try_emplace(normalised(entry), line);
        if (!newAddress) {
            refuse(name, line,
                   entry.addr + " is the address of line " + std::to_string(address->second) +
                       " already");
        }
        if (entries.size() > maxOthers) {
            refuse(name, line, "more than " + std::to_string(maxOthers + 1) + " servers");
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace

PeersFile parsePeers(std::string_view text, const std::string& name, Pid own) {
    std::vector<PeerEntry> entries = entriesOf(text, name);
    std::sort(entries.begin(), entries.end(),
              [](const PeerEntry& a, const PeerEntry& b) { return a.pid < b.pid; });
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const PeerEntry& entry) { return entry.pid == own; });
    if (found == entries.end()) throw Error(name + ": no line has pid " + std::to_string(own));
    PeersFile file{name, *found, {}};
    entries.erase(found);
    file.others = std::move(entries);
    return file;
}

PeersFile readPeers(const std::string& file, Pid own) {
    std::ifstream in(config::pathFromText(file), std::ios::binary);
    std::string text(maxFile + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (!in.is_open() || in.bad()) throw Error(file + ": the file of peers cannot be read");
    if (text.size() > maxFile) throw Error(file + ": more than 64 KiB");
    return parsePeers(text, file, own);
}

}  // namespace netcluster::cluster
