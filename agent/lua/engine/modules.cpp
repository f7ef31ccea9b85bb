#include <fstream>
#include <iterator>
#include <string_view>

#include "libraries.hpp"
#include "machine.hpp"

namespace netcluster::lua {
namespace {

namespace files = std::filesystem;

// Their addresses are keys of Lua's registry: what has been required, and the folder.
const char loadedKey = 0;
const char folderKey = 0;

/// Reason: scripts are written by people.
constexpr std::size_t largestFile = std::size_t{1} << 20;

bool isModuleCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/// "a.b" and "a/b" -> "a/b.lua". Nothing that leads out of the folder passes.
std::string fileOfModule(std::string_view name) {
    std::string file;
    bool fresh = true;
    for (const char c : name) {
        const bool separates = c == '.' || c == '/';
        if (separates ? fresh : !isModuleCharacter(c))
            throw ScriptError("\"" + std::string(name) + "\" is not the name of a module");
        file += separates ? '/' : c;
        fresh = separates;
    }
    if (fresh) throw ScriptError("\"" + std::string(name) + "\" is not the name of a module");
    return file + ".lua";
}

std::string fileOfPath(std::string_view path) {
    if (!path.ends_with(".lua"))
        throw ScriptError("\"" + std::string(path) + "\" does not end with .lua");
    return fileOfModule(path.substr(0, path.size() - 4));
}

std::string readInside(const files::path& folder, const std::string& name) {
    std::error_code error;
    const files::path root = files::canonical(folder, error);
    if (error) throw ScriptError(folder.string() + ": " + error.message());
    const files::path path = files::canonical(root / name, error);
    if (error) throw ScriptError(name + ": " + error.message());
    const files::path below = path.lexically_relative(root);
    if (below.empty() || *below.begin() == "..")
        throw ScriptError(name + ": leads out of " + folder.string());
    if (!files::is_regular_file(path, error)) throw ScriptError(name + ": not a file");
    if (files::file_size(path, error) > largestFile || error)
        throw ScriptError(name + ": more than " + std::to_string(largestFile) + " bytes");
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw ScriptError(name + ": cannot be read");
    return text;
}

files::path folderOf(lua_State* state) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, &folderKey);
    const files::path folder = lua_tostring(state, -1);
    lua_pop(state, 1);
    return folder;
}

int require(lua_State* state) {
    const std::string file = fileOfModule(luaL_checkstring(state, 1));
    const char* name = file.c_str();
    lua_settop(state, 1);
    lua_rawgetp(state, LUA_REGISTRYINDEX, &loadedKey);
    if (lua_getfield(state, 2, name) != LUA_TNIL) {
        if (lua_touserdata(state, 3) == &loadedKey)
            return luaL_error(state, "%s requires itself", name);
        return 1;
    }
    lua_pop(state, 1);
    loadFile(state, folderOf(state), file);
    lua_pushlightuserdata(state, const_cast<char*>(&loadedKey));  // it is being loaded
    lua_setfield(state, 2, name);
    lua_pushvalue(state, 1);
    const int status = lua_pcall(state, 1, 1, 0);
    if (status == LUA_ERRMEM) Machine::of(state).outOfMemory(state);
    if (status != LUA_OK) {
        lua_pushnil(state);
        lua_setfield(state, 2, name);
        return lua_error(state);
    }
    if (lua_isnil(state, -1)) {
        lua_pop(state, 1);
        lua_pushboolean(state, 1);
    }
    lua_pushvalue(state, -1);
    lua_setfield(state, 2, name);
    return 1;
}

int doFile(lua_State* state) {
    loadFile(state, folderOf(state), fileOfPath(luaL_checkstring(state, 1)));
    lua_call(state, 0, LUA_MULTRET);
    return lua_gettop(state) - 1;
}

int loadFileFunction(lua_State* state) {
    try {
        loadFile(state, folderOf(state), fileOfPath(luaL_checkstring(state, 1)));
        return 1;
    } catch (const ScriptError& error) {
        lua_pushnil(state);
        lua_pushstring(state, error.what());
        return 2;
    }
}

}  // namespace

void loadFile(lua_State* state, const files::path& folder, const std::string& name) {
    const std::string text = readInside(folder, name);
    Machine::of(state).charge(state, text.size());
    const std::string chunk = "@" + name;
    const int status = luaL_loadbufferx(state, text.data(), text.size(), chunk.c_str(), "t");
    if (status == LUA_OK) return;
    if (status == LUA_ERRMEM) Machine::of(state).outOfMemory(state);
    const std::string what = lua_tostring(state, -1);
    lua_pop(state, 1);
    throw ScriptError(what);
}

void openModules(lua_State* state, const files::path& folder) {
    lua_pushstring(state, folder.string().c_str());
    lua_rawsetp(state, LUA_REGISTRYINDEX, &folderKey);
    lua_newtable(state);
    for (const char* name : {"string", "table", "math", "utf8", "coroutine", "os", "json"}) {
        lua_getglobal(state, name);
        lua_setfield(state, -2, fileOfModule(name).c_str());
    }
    lua_rawsetp(state, LUA_REGISTRYINDEX, &loadedKey);
    lua_register(state, "require", &guarded<require>);
    lua_register(state, "dofile", &guarded<doFile>);
    lua_register(state, "loadfile", &guarded<loadFileFunction>);
}

void openPaths(lua_State* state, const files::path& folder) {
    lua_getglobal(state, "package");
    lua_getfield(state, -1, "path");
    const std::string before = lua_tostring(state, -1);
    const std::string path =
        folder.string() + "/?.lua;" + folder.string() + "/?/init.lua;" + before;
    lua_pushstring(state, path.c_str());
    lua_setfield(state, -3, "path");
    lua_getfield(state, -2, "loaded");
    lua_getglobal(state, "json");
    lua_setfield(state, -2, "json");
    lua_settop(state, 0);
}

}  // namespace netcluster::lua
