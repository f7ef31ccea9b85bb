#include "json_keys.hpp"

#include <stdexcept>
#include <vector>

#include "roff.hpp"

namespace netcluster::manual {
namespace {

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += i + 1 < parts.size() ? ", " : " or ";
        text += parts[i];
    }
    return text;
}

std::string scalarType(const Schema& key) {
    const std::string type = key.value("type", "");
    if (type == "boolean") return "true or false";
    if (type == "string") return "text";
    if (type == "array") return "list of text";
    if (type == "object") return "object";
    if (type != "integer")
        throw std::runtime_error("a key of the schema has no type: " + key.dump());
    return key.contains("minimum") ? key["minimum"].dump() + " to " + key["maximum"].dump()
                                   : "number";
}

/// "1 to 65535", "false or an expression", `"block", "dropoldest" or "disconnect"`.
std::string typeText(const Schema& key) {
    if (key.contains("const")) return key["const"].dump();
    std::vector<std::string> parts;
    if (key.contains("enum")) {
        for (const auto& word : key["enum"]) parts.push_back(word.dump());
        return joined(parts);
    }
    if (key.contains("$ref")) {
        const std::string name = key["$ref"].get<std::string>();
        return name.ends_with("/expression") ? "an expression" : "a size with its unit";
    }
    if (!key.contains("anyOf")) return scalarType(key);
    for (const auto& choice : key["anyOf"]) parts.push_back(typeText(choice));
    return joined(parts);
}

std::string keyRoff(const std::string& name, const Schema& key, bool required) {
    std::string tag = bold(name) + ": " + roffText(typeText(key));
    if (required) tag += " (required)";
    if (key.contains("default")) tag += ", default " + roffText(key["default"].dump());
    return entry(tag, key.value("description", ""));
}

std::string keysRoff(const Schema& object) {
    const Schema required = object.value("required", Schema::array());
    std::string text;
    for (const auto& [name, key] : object.at("properties").items()) {
        bool isRequired = false;
        for (const auto& one : required) isRequired = isRequired || one == name;
        text += keyRoff(name, key, isRequired);
    }
    return text;
}

}  // namespace

std::string documentKeysRoff(const Schema& schema) {
    return keysRoff(schema);
}

std::string channelKeysRoff(const Schema& schema) {
    return keysRoff(schema.at("$defs").at("channel"));
}

}  // namespace netcluster::manual
