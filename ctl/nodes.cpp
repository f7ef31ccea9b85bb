#include "nodes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "escape.hpp"
#include "table.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

std::string orDash(std::string text) {
    return text.empty() ? "-" : text;
}

/// A number of seconds that an answer claims.
std::string seconds(double number) {
    if (!(number >= 0) || number > 1e15) return "-";
    return duration(static_cast<std::uint64_t>(number));
}

std::string ageOf(const Json& node) {
    return seconds(numberIn(node, "age", -1) / 1000);
}

/// "http 80, smtp": a port of 0 is none.
std::string servicesOf(const Json& node) {
    const Json& services = member(node, "services");
    if (!services.is_array()) return "-";
    std::string text;
    for (const Json& service : services) {
        if (!text.empty()) text += ", ";
        text += orDash(textIn(service, "name"));
        if (numberIn(service, "port") > 0) text += ' ' + cell(member(service, "port"));
    }
    return orDash(text);
}

std::string hostOf(const Json& node) {
    const std::string name = textIn(node, "hostname");
    return name.empty() ? orDash(textIn(node, "host")) : name;
}

/// What `stats` say, as hosts say it. What a program says in another shape is shown as it is.
std::string stat(const Json& node, const std::string& key) {
    const Json& value = member(member(node, "stats"), key);
    if (!value.is_number()) return cell(value);
    const double number = value.get<double>();
    if (key == "memory") return byteSize(number);
    if (key == "uptime") return seconds(number);
    if (key == "load" || key == "hostload") return fixed(number, 2);
    return cell(value);
}

void addMembers(std::vector<Field>& fields, const Json& node, const std::string& key) {
    const Json& object = member(node, key);
    if (!object.is_object()) return;
    for (const auto& item : object.items()) {
        fields.emplace_back(key + '.' + printable(item.key()),
                            key == "stats" ? stat(node, item.key()) : cell(item.value()));
    }
}

}  // namespace

std::string nodesText(const Json& answer) {
    if (!answer.is_array()) return jsonIndented(answer) + '\n';
    if (answer.empty()) return "no nodes\n";
    Table table({"ID", "HOST", "REGIONS", "SERVICES", "SINCE", "LOAD", "MEMORY", "BUSY", "REQUESTS",
                 "UPTIME", "VERSION"});
    for (const Json& node : answer) {
        table.add({orDash(textIn(node, "id")), hostOf(node), cell(member(node, "regions")),
                   servicesOf(node), ageOf(node), stat(node, "load"), stat(node, "memory"),
                   stat(node, "busy"), stat(node, "requests"), stat(node, "uptime"),
                   stat(node, "version")});
    }
    return table.text();
}

std::string nodeText(const Json& answer) {
    if (!answer.is_object()) return jsonIndented(answer) + '\n';
    std::string host = hostOf(answer);
    if (flagIn(answer, "self")) host += " (this host)";
    std::vector<Field> fields{{"id", orDash(textIn(answer, "id"))},
                              {"host", host},
                              {"hostid", orDash(textIn(answer, "host"))},
                              {"client", orDash(textIn(answer, "client"))},
                              {"since", ageOf(answer)},
                              {"regions", cell(member(answer, "regions"))},
                              {"services", servicesOf(answer)}};
    addMembers(fields, answer, "info");
    addMembers(fields, answer, "stats");
    constexpr std::array known{"id",   "host",    "hostname", "client", "since", "age",
                               "self", "regions", "services", "info",   "stats"};
    for (const auto& item : answer.items()) {
        if (std::find(known.begin(), known.end(), item.key()) == known.end()) {
            fields.emplace_back(printable(item.key()), cell(item.value()));
        }
    }
    return fieldsText(fields);
}

}  // namespace netcluster::ctl
