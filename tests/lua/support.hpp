// A folder of scripts, loaded, and calls of them until they end.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "script.hpp"
#include "temporary_directory.hpp"

namespace netcluster::lua::testing {

using namespace std::chrono_literals;

/// Bounds that tests reach soon.
inline Limits tight() {
    Limits limits;
    limits.instructions = 5'000'000;
    limits.run = 200ms;
    limits.memory = std::size_t{2} << 20;
    limits.total = std::size_t{8} << 20;
    return limits;
}

class Folder {
  public:
    explicit Folder(const std::string& bootstrap, const Limits& limits = {}, bool unsafe = false)
        : limits_(limits), unsafe_(unsafe) {
        write("bootstrap.lua", bootstrap);
    }

    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((directory_.path() / name).parent_path());
        std::ofstream(directory_.path() / name) << text;
    }
    const std::filesystem::path& path() const { return directory_.path(); }

    Script& script() {
        if (!script_) {
            script_ = std::make_unique<Script>(
                Script::Setup{.folder = directory_.path(),
                              .unsafe = unsafe_,
                              .limits = limits_,
                              .config = {{"id", "w1"}, {"regions", {"a", "b"}}},
                              .log = [this](Level level, const std::string& line) {
                                  lines.emplace_back(level, line);
                              }});
        }
        return *script_;
    }
    Script& loaded() {
        script().load();
        return script();
    }
    /// Why it does not load.
    std::string refusal() {
        try {
            script().load();
        } catch (const ScriptError& error) {
            return error.what();
        }
        return "it loads";
    }

    /// Starts a call and works until it has ended.
    Script::Outcome call(const std::string& function, const Json& arguments = Json::array(),
                         Script::Names names = Script::Names::own) {
        std::unique_ptr<Script::Outcome> outcome;
        script().start({.function = function, .arguments = arguments, .names = names},
                       [&](Script::Outcome&& came) {
                           outcome = std::make_unique<Script::Outcome>(std::move(came));
                       });
        while (!outcome && script().work(5ms)) {
        }
        REQUIRE_MESSAGE(outcome, function << " waits for something");
        return std::move(*outcome);
    }
    /// The result; or the error, as text.
    Json result(const std::string& function, const Json& arguments = Json::array()) {
        Script::Outcome outcome = call(function, arguments);
        return outcome.kind == Script::Outcome::Kind::success ? outcome.result
                                                              : Json(outcome.error);
    }

    std::vector<std::pair<Level, std::string>> lines;

  private:
    netcluster::testing::TemporaryDirectory directory_;
    Limits limits_;
    bool unsafe_;
    std::unique_ptr<Script> script_;
};

/// What `code`, the body of a function, returns.
inline Json eval(const std::string& code, const Limits& limits = tight()) {
    Folder folder("function f(...)\n" + code + "\nend", limits);
    folder.loaded();
    return folder.result("f");
}

inline bool contains(const Json& text, const std::string& part) {
    return text.is_string() && text.get<std::string>().find(part) != std::string::npos;
}

}  // namespace netcluster::lua::testing
