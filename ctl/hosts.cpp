#include "hosts.hpp"

#include "escape.hpp"
#include "table.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

std::string orDash(std::string text) {
    return text.empty() ? "-" : text;
}

std::string stateOf(const Json& host) {
    if (flagIn(host, "self")) return "this host";
    if (!flagIn(host, "online", true)) return "gone";
    if (!flagIn(host, "hearsus", true)) return "one-way";
    return flagIn(host, "lagging") ? "lagging" : "online";
}

/// Of one that is heard through others only: the neighbour that brings its signs of life.
std::string placeOf(const Json& host) {
    const std::string via = textIn(host, "via");
    return via.empty() ? orDash(textIn(host, "address")) : "via " + via;
}

/// Milliseconds as a duration in seconds and more.
std::string since(const Json& host, const std::string& key) {
    const double milliseconds = numberIn(host, key, -1);
    if (milliseconds < 0 || milliseconds > 1e15) return "-";
    return duration(static_cast<std::uint64_t>(milliseconds / 1000));
}

/// "0.31 of 2": the load, and what it would be if no processor were idle.
std::string loadOf(const Json& host) {
    const double cpus = numberIn(host, "cpus");
    if (cpus <= 0) return "-";
    return fixed(numberIn(host, "load"), 2) + " of " + fixed(cpus, 0);
}

std::string memoryOf(const Json& host) {
    const Json& memory = member(host, "memory");
    const double total = numberIn(memory, "total");
    if (total <= 0) return "-";
    return byteSize(numberIn(memory, "available")) + " of " + byteSize(total);
}

}  // namespace

std::string hostsText(const Json& answer) {
    if (!answer.is_array()) return jsonIndented(answer) + '\n';
    if (answer.empty()) return "the link is off: there are no other hosts\n";
    Table table({"NAME", "STATE", "ADDRESS", "VERSION", "UPTIME", "HEARD", "LOAD", "MEMORY FREE",
                 "CLIENTS", "GAPS", "CHANNELS"});
    for (const Json& host : answer) {
        table.add({orDash(textIn(host, "name")), stateOf(host), placeOf(host),
                   orDash(textIn(host, "version")), since(host, "uptime"), since(host, "lastheard"),
                   loadOf(host), memoryOf(host), cell(member(host, "clients")),
                   cell(member(member(host, "gaps"), "count")), cell(member(host, "channels"))});
    }
    return table.text();
}

}  // namespace netcluster::ctl
