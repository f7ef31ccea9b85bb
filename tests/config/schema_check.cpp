#include "schema_check.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "rule_pattern.hpp"

namespace netcluster::config::test {
namespace {

using nlohmann::json;

struct Question {
    const json& value;
    const json& wanted;  ///< what stands at the keyword
    const json& schema;  ///< the keyword's neighbours
    const json& root;
};

using Keyword = std::function<bool(const Question&)>;

bool isType(const json& value, const std::string& type) {
    if (type == "integer") {
        return value.is_number() && value.get<double>() == std::trunc(value.get<double>());
    }
    if (type == "number") return value.is_number();
    return type == value.type_name();
}

bool sameProperties(const Question& q) {
    if (!q.value.is_object()) return true;
    return std::all_of(q.wanted.items().begin(), q.wanted.items().end(), [&](const auto& item) {
        return !q.value.contains(item.key()) || valid(q.value[item.key()], item.value(), q.root);
    });
}

bool otherProperties(const Question& q) {
    if (!q.value.is_object()) return true;
    const json named = q.schema.value("properties", json::object());
    for (const auto& item : q.value.items()) {
        if (named.contains(item.key())) continue;
        if (q.wanted == false || !valid(item.value(), q.wanted, q.root)) return false;
    }
    return true;
}

bool propertyNames(const Question& q) {
    if (!q.value.is_object()) return true;
    return std::all_of(q.value.items().begin(), q.value.items().end(),
                       [&](const auto& item) { return valid(item.key(), q.wanted, q.root); });
}

bool requiredKeys(const Question& q) {
    return !q.value.is_object() ||
           std::all_of(q.wanted.begin(), q.wanted.end(),
                       [&](const json& key) { return q.value.contains(key.get<std::string>()); });
}

bool anyOf(const Question& q) {
    return std::any_of(q.wanted.begin(), q.wanted.end(),
                       [&](const json& option) { return valid(q.value, option, q.root); });
}

bool conditional(const Question& q) {
    return !valid(q.value, q.wanted, q.root) || valid(q.value, q.schema.at("then"), q.root);
}

bool reference(const Question& q) {
    return valid(q.value, q.root.at(json::json_pointer(q.wanted.get<std::string>().substr(1))),
                 q.root);
}

bool eachItem(const Question& q) {
    return !q.value.is_array() ||
           std::all_of(q.value.begin(), q.value.end(),
                       [&](const json& item) { return valid(item, q.wanted, q.root); });
}

bool pattern(const Question& q) {
    return !q.value.is_string() ||
           RE2::PartialMatch(q.value.get<std::string>(), q.wanted.get<std::string>());
}

bool format(const Question& q) {
    if (q.wanted != "regex") throw std::logic_error("unknown format " + q.wanted.dump());
    return !q.value.is_string() || !patternProblem(q.value.get<std::string>());
}

bool uniqueItems(const Question& q) {
    return q.wanted == false || !q.value.is_array() ||
           std::set<json>(q.value.begin(), q.value.end()).size() == q.value.size();
}

bool annotation(const Question&) {
    return true;
}

const std::map<std::string, Keyword>& keywords() {
    static const std::map<std::string, Keyword> table{
        {"$schema", annotation},
        {"$defs", annotation},
        {"title", annotation},
        {"description", annotation},
        {"default", annotation},
        {"then", annotation},
        {"if", conditional},
        {"$ref", reference},
        {"type", [](const Question& q) { return isType(q.value, q.wanted); }},
        {"const", [](const Question& q) { return q.value == q.wanted; }},
        {"enum",
         [](const Question& q) {
             return std::find(q.wanted.begin(), q.wanted.end(), q.value) != q.wanted.end();
         }},
        {"anyOf", anyOf},
        {"minimum", [](const Question& q) { return !q.value.is_number() || q.value >= q.wanted; }},
        {"maximum", [](const Question& q) { return !q.value.is_number() || q.value <= q.wanted; }},
        {"minLength",
         [](const Question& q) {
             return !q.value.is_string() ||
                    q.value.get_ref<const std::string&>().size() >= q.wanted;
         }},
        {"maxLength",
         [](const Question& q) {
             return !q.value.is_string() ||
                    q.value.get_ref<const std::string&>().size() <= q.wanted;
         }},
        {"minItems",
         [](const Question& q) { return !q.value.is_array() || q.value.size() >= q.wanted; }},
        {"maxItems",
         [](const Question& q) { return !q.value.is_array() || q.value.size() <= q.wanted; }},
        {"maxProperties",
         [](const Question& q) { return !q.value.is_object() || q.value.size() <= q.wanted; }},
        {"uniqueItems", uniqueItems},
        {"items", eachItem},
        {"pattern", pattern},
        {"format", format},
        {"required", requiredKeys},
        {"properties", sameProperties},
        {"additionalProperties", otherProperties},
        {"propertyNames", propertyNames},
    };
    return table;
}

}  // namespace

bool valid(const json& value, const json& schema, const json& root) {
    for (const auto& item : schema.items()) {
        const auto found = keywords().find(item.key());
        if (found == keywords().end()) throw std::logic_error("unknown keyword " + item.key());
        if (!found->second({value, item.value(), schema, root})) return false;
    }
    return true;
}

}  // namespace netcluster::config::test
