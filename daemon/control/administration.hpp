// What control may ask of the daemon. Answers are the data of docs/control-protocol.md; what cannot
// be done is thrown as Error. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <netcluster/error.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::daemon {

/// A configuration that was refused: the sentence, and every problem with its place.
class ConfigRefused : public Error {
  public:
    ConfigRefused(const std::string& what, std::vector<std::string> all)
        : Error(what), problems(std::move(all)) {}
    std::vector<std::string> problems;
};

class Administration {
  public:
    virtual ~Administration() = default;
    virtual nlohmann::json showConfig() = 0;
    /// One transaction: throws, and nothing has changed.
    virtual nlohmann::json reloadFile(const std::string& path) = 0;  ///< "": the file in force
    virtual nlohmann::json reloadText(std::string_view text) = 0;
    /// The keys of the link, each with its id and use; no secrets. Those that change something
    /// throw, and nothing has changed then; `key` is base64.
    virtual nlohmann::json listKeys() = 0;
    virtual nlohmann::json addKey(std::uint16_t id, std::string_view key) = 0;
    virtual nlohmann::json useKey(std::uint16_t id) = 0;
    virtual nlohmann::json removeKey(std::uint16_t id) = 0;
    virtual nlohmann::json showChannel(const std::string& channel) = 0;
    virtual nlohmann::json showClient(const std::string& channel, const std::string& client) = 0;
    virtual nlohmann::json stats() = 0;
    virtual nlohmann::json hosts() = 0;
    virtual nlohmann::json nodes(const std::string& target) = 0;  ///< "": all of them
    virtual nlohmann::json node(const std::string& id) = 0;

    /// Takes an answer that comes later: once, on the loop thread, outside of any turn. Never, when
    /// the daemon stops before.
    using Reply = std::function<void(nlohmann::json)>;
    /// The facts `ncctl doctor` judges; asks the other hosts and waits that long for them. Throws
    /// Error, and does not reply, when it is asked too often.
    virtual void doctor(std::chrono::milliseconds wait, Reply reply) = 0;
};

}  // namespace netcluster::daemon
