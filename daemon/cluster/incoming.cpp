#include "incoming.hpp"

#include <algorithm>
#include <utility>

namespace netcluster::cluster {
namespace {

Json parsed(std::string_view text) {
    return Json::parse(text, nullptr, false);
}

Json* member(Json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

// What Json would turn into one, such as 1.5 or 2^63, is none.
bool isSigned(const Json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
}

template <typename Is>
bool isArrayOf(const Json& value, Is is) {
    return value.is_array() && std::all_of(value.begin(), value.end(), is);
}

}  // namespace

std::optional<std::vector<std::string>> heardIn(std::string_view text) {
    Json data = parsed(text);
    const Json* heard = member(data, "heard");
    if (!heard || !isArrayOf(*heard, [](const Json& one) { return one.is_string(); })) return {};
    return heard->get<std::vector<std::string>>();
}

std::optional<std::map<std::string, std::uint64_t>> upToIn(std::string_view text) {
    Json data = parsed(text);
    const Json* upTo = member(data, "upTo");
    if (!upTo || !upTo->is_object()) return {};
    const bool numbers = std::all_of(upTo->begin(), upTo->end(),
                                     [](const Json& one) { return one.is_number_unsigned(); });
    if (!numbers) return {};
    return upTo->get<std::map<std::string, std::uint64_t>>();
}

std::optional<Incoming> envelopeIn(std::string_view text) {
    Json data = parsed(text);
    const Json* serial = member(data, "serial");
    const Json* msgId = member(data, "msgId");
    Json* msg = member(data, "msg");
    if (!serial || !serial->is_number_unsigned() || !msgId || !isSigned(*msgId) || !msg) return {};
    Incoming incoming;
    if (const Json* notFor = member(data, "not")) {
        if (!isArrayOf(*notFor, isSigned)) return {};
        incoming.notFor = notFor->get<std::vector<Pid>>();
    }
    incoming.serial = serial->get<std::uint64_t>();
    incoming.envelope.msgId = msgId->get<std::int64_t>();
    incoming.envelope.msg = std::move(*msg);
    return incoming;
}

}  // namespace netcluster::cluster
