// A node: an agent under a name of its own, with regions, information and services. Values, and
// their JSON as docs/control-protocol.md draws it. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target.hpp"
#include "text.hpp"

namespace netcluster::daemon {

/// Regions and services of a node at most. Reason: a description travels in one small frame.
inline constexpr std::size_t maxRegions = 64;
inline constexpr std::size_t maxServices = 64;
/// What a node says of how it is doing, as JSON text. Reason: it travels every second.
inline constexpr std::size_t maxStats = 2048;
/// Objects and arrays within one another, in `info` and stats. Reason: far more than anybody needs,
/// and the events that carry them stay within wire::maxDataDepth.
inline constexpr int maxNesting = 16;

/// What a program says when it registers.
struct NodeDescription {
    std::string id;
    std::vector<std::string> regions;
    nlohmann::json info = nlohmann::json::object();
    struct Service {
        std::string name;
        std::uint16_t port = 0;
        bool operator==(const Service&) const = default;
    };
    std::vector<Service> services;
    bool operator==(const NodeDescription&) const = default;
};

/// A node as a directory knows it.
struct Node final : Tagged {
    NodeDescription said;
    wire::Uuid host{};  ///< of its daemon
    std::string hostName;
    std::int64_t since = 0;  ///< when it registered, in ms since 1970 by its host's clock
    wire::Uuid client{};     ///< its connection, if it is one of ours
    /// How it is doing, an object; null until it has said so. For ours: NodeDirectory::statsOf.
    std::shared_ptr<const nlohmann::json> stats{};
    std::size_t text = 0;  ///< bytes of its JSON, for the directory's bounds

    /// All that the two below say yes to, each once; tags as `key=value`. Without `client=`.
    std::vector<std::string> names() const;
    std::vector<std::string> tags() const;

    bool isNamed(std::string_view name) const override;
    bool hasTag(std::string_view key, std::string_view value) const override;
    bool operator==(const Node& other) const {
        return said == other.said && host == other.host && hostName == other.hostName &&
               since == other.since;
    }
};

/// `{"id","regions","info","services"}`; what is missing is empty. Nothing, and `error` says what
/// is wrong, when it is not that.
std::optional<NodeDescription> readDescription(const nlohmann::json& json, std::string& error);
/// The same, and back: with `host` (uuid), `hostname` and `since` added.
std::optional<Node> readNode(const nlohmann::json& json, std::string& error);
nlohmann::json nodeJson(const Node& node);

/// Bytes of it as JSON text.
std::size_t textSize(const nlohmann::json& value);
std::size_t textSize(const Node& node);

/// What is wrong with stats; empty: nothing.
std::string whyNoStats(const nlohmann::json& stats);

}  // namespace netcluster::daemon
