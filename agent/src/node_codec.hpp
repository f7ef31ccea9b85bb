// A node's words as JSON, as the daemon asks for and tells them, and as targets look at them. Pure;
// any thread.
#pragma once

#include <netcluster/node.hpp>
#include <string>
#include <string_view>

#include "target.hpp"

namespace netcluster {

/// The JSON text to register it with. Throws Error, naming the node, when an id, a region or the
/// name of a service is none, or when it holds what JSON cannot carry.
std::string textOf(const NodeDescription& node);

/// What is missing, or not what it should be, is empty.
Node readNode(const Json& data);

/// A node as targets see it.
class TaggedNode : public Tagged {
  public:
    explicit TaggedNode(const Node& node) : node_(node) {}
    bool isNamed(std::string_view name) const override;
    bool hasTag(std::string_view key, std::string_view value) const override;

  private:
    const Node& node_;
};

/// Throws Error when it is none.
Target compiledTarget(std::string_view text);

}  // namespace netcluster
