// Members of JSON objects that others wrote: one that is missing, or not what it should be, is as
// good as empty.
#pragma once

#include <netcluster/event.hpp>
#include <string>

namespace netcluster {

inline std::string textIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

inline Json objectIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_object() ? *found : Json::object();
}

inline Json listIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : Json::array();
}

}  // namespace netcluster
