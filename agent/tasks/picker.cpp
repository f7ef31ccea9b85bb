// Picker: one of several nodes. Pure.
#include <algorithm>
#include <cmath>
#include <limits>
#include <netcluster/node.hpp>
#include <random>
#include <tuple>

namespace netcluster {
namespace {

double number(const Node& node, const char* member, double otherwise) {
    const auto found = node.stats.is_object() ? node.stats.find(member) : node.stats.end();
    if (!node.stats.is_object() || found == node.stats.end() || !found->is_number()) {
        return otherwise;
    }
    const double value = found->get<double>();
    return std::isfinite(value) ? value : otherwise;
}

bool hasSaid(const Node& node) {
    return node.stats.is_object() && !node.stats.empty();
}

auto loadOf(const Node& node) {
    const double cpus = std::max(1.0, number(node, "cpus", 1));
    return std::tuple(!hasSaid(node), number(node, "busy", 0), number(node, "load", 0),
                      number(node, "hostload", 0) / cpus);
}

double memoryOf(const Node& node) {
    return number(node, "memory", std::numeric_limits<double>::infinity());
}

bool earlier(const Node& one, const Node& other) {
    return one.id < other.id;
}

// The same on every system, so that all who pick by a key pick the same (FNV-1a, then the finish of
// SplitMix64, for FNV alone leaves the high bits of short texts alike).
std::uint64_t hashOf(std::string_view key, std::string_view id) {
    std::uint64_t hash = 0xCBF29CE484222325;
    const auto add = [&hash](std::string_view text) {
        for (const char c : text) {
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
        }
    };
    add(key);
    add(std::string_view("\0", 1));  // "ab" of "c" is not "a" of "bc"
    add(id);
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
    return hash ^ (hash >> 31);
}

std::size_t below(std::size_t count) {
    thread_local std::mt19937_64 random{std::random_device{}()};
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

const Node* after(std::span<const Node> nodes, const std::string& last) {
    const Node* next = nullptr;
    for (const Node& node : nodes) {
        if (node.id > last && (!next || earlier(node, *next))) next = &node;
    }
    return next;
}

}  // namespace

const Node* Picker::pick(std::span<const Node> nodes, Pick how, std::string_view key) {
    if (nodes.empty()) return nullptr;
    const auto best = [&nodes](auto better) {
        return &*std::min_element(nodes.begin(), nodes.end(), better);
    };
    switch (how) {
        case Pick::first:
            return best(earlier);
        case Pick::last:
            return best([](const Node& one, const Node& other) { return earlier(other, one); });
        case Pick::random:
            return &nodes[below(nodes.size())];
        case Pick::roundRobin: {
            const Node* next = after(nodes, last_);
            if (!next) next = best(earlier);
            last_ = next->id;
            return next;
        }
        case Pick::leastLoaded:
            return best([](const Node& one, const Node& other) {
                return std::tuple_cat(loadOf(one), std::tie(one.id)) <
                       std::tuple_cat(loadOf(other), std::tie(other.id));
            });
        case Pick::leastMemory:
            return best([](const Node& one, const Node& other) {
                return std::tuple(memoryOf(one), one.id) < std::tuple(memoryOf(other), other.id);
            });
        case Pick::sticky:
            return best([key](const Node& one, const Node& other) {
                return hashOf(key, one.id) > hashOf(key, other.id);
            });
    }
    return nullptr;
}

}  // namespace netcluster
