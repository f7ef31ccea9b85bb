#include "format.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "escape.hpp"
#include "table.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

using Keys = std::vector<std::string>;

bool isEmptyList(const Json& value) {
    return !value.is_array() || value.empty();
}

/// `uptime` and `connected` are seconds, `queued` is bytes; the rest speaks for itself.
std::string fieldValue(const std::string& key, const Json& value) {
    const bool isDuration = (key == "uptime" || key == "connected") && value.is_number() &&
                            value.get<double>() >= 0 && value.get<double>() < 1e15;
    if (isDuration) return duration(static_cast<std::uint64_t>(value.get<double>()));
    if (key == "queued" && value.is_number()) return cell(value) + " bytes";
    return cell(value);
}

/// The keys of an object: the preferred ones that it has, in that order, then its others.
Keys keysOf(const Json& object, const Keys& preferred, const Keys& without = {}) {
    const auto contains = [](const Keys& keys, const std::string& key) {
        return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    Keys keys;
    for (const auto& key : preferred) {
        if (object.contains(key)) keys.push_back(key);
    }
    for (const auto& item : object.items()) {
        if (!contains(preferred, item.key()) && !contains(without, item.key())) {
            keys.push_back(item.key());
        }
    }
    return keys;
}

std::vector<Field> fieldsOf(const Json& object, const Keys& preferred, const Keys& without = {}) {
    std::vector<Field> fields;
    for (const auto& key : keysOf(object, preferred, without)) {
        fields.emplace_back(printable(key), fieldValue(key, member(object, key)));
    }
    return fields;
}

using NamedList = std::pair<std::string, const Json*>;

/// Objects inside objects become `outer.inner`; lists of objects are set aside, to be tables.
void flatten(const Json& object, const std::string& prefix, std::vector<Field>& fields,
             std::vector<NamedList>& lists) {
    for (const auto& item : object.items()) {
        const auto name = prefix + printable(item.key());
        const Json& value = item.value();
        if (value.is_object() && !value.empty()) {
            flatten(value, name + '.', fields, lists);
        } else if (!isEmptyList(value) && value.front().is_object()) {
            lists.emplace_back(name, &value);
        } else {
            fields.emplace_back(name, fieldValue(item.key(), value));
        }
    }
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

/// One line per object, one column per key that any of them has.
std::string objectsTable(const std::vector<const Json*>& objects, const Keys& preferred,
                         const std::string& nameHeading = {}, const Keys& names = {}) {
    Json merged = Json::object();
    for (const Json* object : objects) {
        if (object->is_object()) merged.update(*object);
    }
    const Keys keys = keysOf(merged, preferred);
    std::vector<std::string> headings;
    if (!nameHeading.empty()) headings.push_back(nameHeading);
    for (const auto& key : keys) headings.push_back(upper(printable(key)));
    Table table(std::move(headings));
    for (std::size_t row = 0; row < objects.size(); ++row) {
        std::vector<std::string> cells;
        if (!nameHeading.empty()) cells.push_back(printable(names[row]));
        for (const auto& key : keys) cells.push_back(cell(member(*objects[row], key)));
        table.add(std::move(cells));
    }
    return table.text();
}

std::string listTable(const Json& list, const Keys& preferred) {
    std::vector<const Json*> rows;
    for (const auto& item : list) rows.push_back(&item);
    return objectsTable(rows, preferred);
}

std::string clientsText(const Json& clients) {
    if (isEmptyList(clients)) return "no clients\n";
    return listTable(clients, {"client", "name", "encoding", "pid", "uid", "gid", "queued"});
}

std::string changeText(const Json& change) {
    const auto pointer = cell(member(change, "pointer"));
    const auto& before = member(change, "before");
    const auto& after = member(change, "after");
    if (before.is_null()) return "+ " + pointer + ": " + jsonLine(after) + '\n';
    if (after.is_null()) return "- " + pointer + ": " + jsonLine(before) + '\n';
    return "~ " + pointer + ": " + jsonLine(before) + " -> " + jsonLine(after) + '\n';
}

std::string channelsTable(const Json& channels) {
    std::vector<const Json*> rows;
    Keys names;
    for (const auto& item : channels.items()) {
        names.push_back(item.key());
        rows.push_back(&item.value());
    }
    return objectsTable(rows, {"clients", "received", "delivered", "dropped", "refused", "queued"},
                        "CHANNEL", names);
}

/// `,"key":"text"`, or nothing when there is no text.
std::string optionalMember(const char* key, std::string_view text) {
    return text.empty() ? std::string{} : std::string(",\"") + key + "\":" + jsonLine(text);
}

}  // namespace

std::string configText(const Json& answer) {
    return jsonIndented(answer) + '\n';
}

std::string reloadText(const Json& answer) {
    if (!answer.is_object()) return configText(answer);
    std::string text;
    if (!member(answer, "file").is_null() && answer["file"] != "")
        text += "read " + cell(answer["file"]) + '\n';
    for (const auto& warning : member(answer, "warnings")) {
        text += "warning: " + cell(warning) + '\n';
    }
    const auto& changed = member(answer, "changed");
    if (isEmptyList(changed)) return text + "nothing changed\n";
    for (const auto& change : changed) text += changeText(change);
    for (const auto& pointer : member(answer, "restart")) {
        text += "takes effect at the next start: " + cell(pointer) + '\n';
    }
    return text;
}

std::string channelText(const Json& answer) {
    if (!answer.is_object()) return configText(answer);
    auto text = fieldsText(fieldsOf(
        answer, {"channel", "endpoint", "targets", "received", "delivered", "dropped", "refused"},
        {"rules", "clients"}));
    const auto& rules = member(answer, "rules");
    if (rules.is_object() && !rules.empty()) {
        const Keys order{"propagatetochannels", "propagatetonet", "acceptfromnet"};
        text += "\nrules\n" + fieldsText(fieldsOf(rules, order), "  ");
    }
    return text + '\n' + clientsText(member(answer, "clients"));
}

std::string clientText(const Json& answer) {
    if (!answer.is_object() || answer.empty()) return configText(answer);
    return fieldsText(fieldsOf(
        answer, {"client", "name", "channel", "encoding", "pid", "uid", "gid", "connected",
                 "patterns", "received", "delivered", "dropped", "refused", "queued", "stalled"}));
}

std::string keysText(const Json& answer) {
    if (!answer.is_object()) return configText(answer);
    const auto& keys = member(answer, "keys");
    auto text = isEmptyList(keys) ? "no keys: the link is not encrypted\n"
                                  : listTable(keys, {"id", "use", "opened"});
    Json rest = answer;
    if (member(answer, "file") == "") rest.erase("file");
    const auto fields = fieldsOf(rest, {"file", "forged", "unknownkey"}, {"keys"});
    return fields.empty() ? text : text + '\n' + fieldsText(fields);
}

std::string statsText(const Json& answer) {
    if (!answer.is_object() || answer.empty()) return configText(answer);
    auto text = fieldsText(fieldsOf(
        answer, {"version", "pid", "host", "uptime", "rundir", "config", "clients", "queued"},
        {"channels", "link"}));
    const auto& channels = member(answer, "channels");
    if (channels.is_object() && !channels.empty()) text += '\n' + channelsTable(channels);
    const auto& link = member(answer, "link");
    if (!link.is_object() || link.empty()) return text;
    std::vector<Field> fields;
    std::vector<NamedList> lists;
    flatten(link, "", fields, lists);
    text += "\nlink\n" + fieldsText(fields, "  ");
    for (const auto& [name, list] : lists) {
        text += "\nlink " + name + '\n' + listTable(*list, {"name", "address"});
    }
    return text;
}

std::string errorText(const Json& answer) {
    std::string text = cell(member(answer, "error")) + '\n';
    for (const auto& problem : member(answer, "problems")) text += "  " + cell(problem) + '\n';
    return text;
}

std::string eventText(const SeenEvent& seen) {
    return printable(seen.event) + ' ' + jsonLine(seen.data) + '\n';
}

std::string eventJson(const SeenEvent& seen) {
    return "{\"event\":" + jsonLine(seen.event) + ",\"data\":" + jsonLine(seen.data) +
           ",\"channel\":" + jsonLine(seen.channel) + ",\"emmiteruuid\":" + jsonLine(seen.sender) +
           ",\"broadcast\":" + (seen.broadcast ? "true" : "false") +
           optionalMember("host", seen.host) + optionalMember("to", seen.to) +
           optionalMember("id", seen.id) + optionalMember("replyto", seen.replyTo) + "}\n";
}

}  // namespace netcluster::ctl
