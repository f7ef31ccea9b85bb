#include "json_values.hpp"

#include <lauxlib.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "machine.hpp"
#include "texts.hpp"

namespace netcluster::lua {
namespace {

// Its address is the key of the metatable that marks arrays, in Lua's registry.
const char arrayMark = 0;
// Its address is json.null.
char nullValue = 0;

void pushValue(lua_State* state, const Json& value);

void pushArray(lua_State* state, const Json& value) {
    lua_createtable(state, static_cast<int>(value.size()), 0);
    lua_Integer place = 0;
    for (const Json& element : value) {
        pushValue(state, element);
        lua_rawseti(state, -2, ++place);
    }
    markArray(state);
}

void pushObject(lua_State* state, const Json& value) {
    lua_createtable(state, 0, static_cast<int>(value.size()));
    for (const auto& [key, member] : value.items()) {
        lua_pushlstring(state, key.data(), key.size());
        pushValue(state, member);
        lua_rawset(state, -3);
    }
}

void pushValue(lua_State* state, const Json& value) {
    luaL_checkstack(state, 8, "JSON nested too deep");
    switch (value.type()) {
        case Json::value_t::boolean:
            return lua_pushboolean(state, value.get<bool>() ? 1 : 0);
        case Json::value_t::number_integer:
            return lua_pushinteger(state, value.get<lua_Integer>());
        case Json::value_t::number_unsigned:
            if (value.get<std::uint64_t>() <= LUA_MAXINTEGER)
                return lua_pushinteger(state, value.get<lua_Integer>());
            return lua_pushnumber(state, value.get<double>());
        case Json::value_t::number_float:
            return lua_pushnumber(state, value.get<double>());
        case Json::value_t::string: {
            const auto& text = value.get_ref<const std::string&>();
            lua_pushlstring(state, text.data(), text.size());
            return;
        }
        case Json::value_t::array:
            return pushArray(state, value);
        case Json::value_t::object:
            return pushObject(state, value);
        case Json::value_t::null:
        case Json::value_t::binary:
        case Json::value_t::discarded:
            return pushNull(state);
    }
}

/// Reads one value, its parts and so on; what is refused is thrown with the path to it.
class Reader {
  public:
    explicit Reader(lua_State* state, std::size_t most = largest) : state_(state), most_(most) {}

    /// Of all it has read, what was refused too.
    std::size_t weight() const { return weight_; }

    Json read(int index, int depth) {
        if (depth > deepest)
            refuse("more than " + std::to_string(deepest) + " levels, or a table within itself");
        weigh(4);
        luaL_checkstack(state_, 8, "JSON nested too deep");
        switch (lua_type(state_, index)) {
            case LUA_TNIL:
                return nullptr;
            case LUA_TBOOLEAN:
                return lua_toboolean(state_, index) != 0;
            case LUA_TNUMBER:
                return number(index);
            case LUA_TSTRING:
                return text(index);
            case LUA_TTABLE:
                return table(lua_absindex(state_, index), depth);
            case LUA_TLIGHTUSERDATA:
                if (lua_touserdata(state_, index) == &nullValue) return nullptr;
                [[fallthrough]];
            default:
                refuse(std::string("a ") + luaL_typename(state_, index) + " is not JSON");
        }
    }

  private:
    [[noreturn]] void refuse(const std::string& what) const {
        throw std::invalid_argument(path_.empty() ? what : "at " + path_ + ": " + what);
    }

    void weigh(std::size_t bytes) {
        weight_ += bytes;
        if (weight_ > most_) refuse("more than " + std::to_string(most_) + " bytes of JSON");
    }

    Json number(int index) {
        if (lua_isinteger(state_, index) != 0) return lua_tointeger(state_, index);
        const double value = lua_tonumber(state_, index);
        if (!std::isfinite(value)) refuse("a number that JSON does not have (NaN or infinite)");
        return value;
    }

    std::string text(int index) {
        std::size_t size = 0;
        const char* data = lua_tolstring(state_, index, &size);
        weigh(size);
        if (!isUtf8({data, size})) refuse("text that is not UTF-8");
        return {data, size};
    }

    Json table(int index, int depth) {
        const auto length = static_cast<lua_Integer>(lua_rawlen(state_, index));
        lua_Integer numbers = 0;
        bool names = false;
        for (lua_pushnil(state_); lua_next(state_, index) != 0; lua_pop(state_, 1)) {
            weigh(4);
            if (lua_type(state_, -2) == LUA_TSTRING) {
                names = true;
            } else if (lua_isinteger(state_, -2) != 0 && lua_tointeger(state_, -2) >= 1 &&
                       lua_tointeger(state_, -2) <= length) {
                ++numbers;
            } else {
                refuse("a table with holes, or with keys that are neither names nor 1 … n");
            }
        }
        if (numbers != length) refuse("a table with holes");
        if (numbers > 0 && names) refuse("a table with both names and numbers as keys");
        if (names) return object(index, depth);
        return numbers > 0 || isArray(state_, index) ? array(index, length, depth) : Json::object();
    }

    Json array(int index, lua_Integer length, int depth) {
        Json result = Json::array();
        const std::size_t before = path_.size();
        for (lua_Integer place = 1; place <= length; ++place) {
            path_ += "[" + std::to_string(place) + "]";
            lua_rawgeti(state_, index, place);
            result.push_back(read(-1, depth + 1));
            lua_pop(state_, 1);
            path_.resize(before);
        }
        return result;
    }

    Json object(int index, int depth) {
        Json result = Json::object();
        const std::size_t before = path_.size();
        for (lua_pushnil(state_); lua_next(state_, index) != 0; lua_pop(state_, 1)) {
            const std::string key = text(-2);
            path_ += "." + key.substr(0, 40);
            result[key] = read(-1, depth + 1);
            path_.resize(before);
        }
        return result;
    }

    lua_State* state_;
    std::size_t most_;
    std::size_t weight_ = 0;
    std::string path_;
};

}  // namespace

void makeArrayMark(lua_State* state) {
    lua_newtable(state);
    lua_pushliteral(state, "json.array");
    lua_setfield(state, -2, "__name");
    // Scripts never see it: a __gc put into it would be that of all arrays made afterwards.
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_rawsetp(state, LUA_REGISTRYINDEX, &arrayMark);
}

void markArray(lua_State* state) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, &arrayMark);
    lua_setmetatable(state, -2);
}

bool isArray(lua_State* state, int index) {
    if (lua_getmetatable(state, index) == 0) return false;
    lua_rawgetp(state, LUA_REGISTRYINDEX, &arrayMark);
    const bool marked = lua_rawequal(state, -1, -2) != 0;
    lua_pop(state, 2);
    return marked;
}

void pushNull(lua_State* state) {
    lua_pushlightuserdata(state, &nullValue);
}

void push(lua_State* state, const Json& value) {
    if (value.is_null()) return lua_pushnil(state);
    pushValue(state, value);
}

Json toJson(lua_State* state, int index, std::size_t most) {
    return Reader(state, most).read(index, 0);
}

Json toJsonAtPrice(lua_State* state, int first, int last) {
    Reader reader(state);
    Json values = Json::array();
    try {
        for (int index = first; index <= last; ++index) values.push_back(reader.read(index, 0));
    } catch (const std::exception&) {
        Machine::of(state).charge(state, reader.weight());
        throw;
    }
    Machine::of(state).charge(state, reader.weight());
    return values;
}

Json parseJson(std::string_view text) {
    if (text.size() > largest)
        throw std::invalid_argument("more than " + std::to_string(largest) + " bytes of JSON");
    const auto shallow = [](int depth, Json::parse_event_t event, Json&) {
        const bool opens =
            event == Json::parse_event_t::array_start || event == Json::parse_event_t::object_start;
        if (opens && depth >= deepest)
            throw std::invalid_argument("JSON of more than " + std::to_string(deepest) + " levels");
        return true;
    };
    try {
        return Json::parse(text, shallow);
    } catch (const Json::exception& error) {
        std::string what = error.what();  // "[json.exception.parse_error.101] parse error at …"
        if (const auto end = what.find("] "); what.starts_with("[") && end != std::string::npos)
            what.erase(0, end + 2);
        throw std::invalid_argument(what);
    }
}

}  // namespace netcluster::lua
