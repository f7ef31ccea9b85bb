// The functions by which scripts reach netcluster (docs/worker-guide.md).
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "worker_impl.hpp"

namespace netcluster::worker {
namespace {

using lua::Script;

constexpr double defaultSeconds = 5;
constexpr double longestSeconds = 86400;

/// Arguments of a script's call, by place; what is wrong says which.
class Arguments {
  public:
    Arguments(std::string function, const Json& values)
        : function_(std::move(function)), values_(values) {}

    const Json& at(std::size_t place) const {
        static const Json nothing;
        return place < values_.size() ? values_[place] : nothing;
    }
    std::string text(std::size_t place, const char* what) const {
        if (!at(place).is_string()) refuse(place, what, "a text");
        return at(place).get<std::string>();
    }
    std::string textOr(std::size_t place, const char* what, const char* otherwise) const {
        return at(place).is_null() ? otherwise : text(place, what);
    }
    std::chrono::milliseconds secondsOr(std::size_t place, double otherwise) const {
        return at(place).is_null() ? inMilliseconds(place, otherwise) : seconds(place);
    }
    std::chrono::milliseconds seconds(std::size_t place) const {
        if (!at(place).is_number()) refuse(place, "seconds", "a number");
        return inMilliseconds(place, at(place).get<double>());
    }
    std::chrono::milliseconds inMilliseconds(std::size_t place, double value) const {
        if (!(value >= 0 && value <= longestSeconds))
            refuse(place, "seconds", "between 0 and 86400");
        return std::chrono::milliseconds(std::llround(value * 1000));
    }
    /// What else was given would be taken for something that it is not.
    const Arguments& atMost(std::size_t count) const {
        for (std::size_t place = count; place < values_.size(); ++place) {
            if (values_[place].is_null()) continue;
            throw std::invalid_argument(function_ + ": argument " + std::to_string(place + 1) +
                                        " is one too many");
        }
        return *this;
    }
    [[noreturn]] void refuse(std::size_t place, const std::string& what,
                             const std::string& wanted) const {
        throw std::invalid_argument(function_ + ": argument " + std::to_string(place + 1) + " (" +
                                    what + ") is not " + wanted);
    }

  private:
    std::string function_;
    const Json& values_;
};

Json jsonOf(const Answer& answer) {
    Json json{{"node", answer.node},
              {"host", answer.host},
              {"outcome", nameOf(answer.outcome)},
              {"ok", answer.ok()},
              {"took", static_cast<double>(answer.took.count()) / 1e6}};
    if (answer.ok())
        json["result"] = answer.result;
    else
        json["error"] = answer.error;
    return json;
}

Pick pickOf(const Arguments& arguments, std::size_t place) {
    const std::string name = arguments.textOr(place, "pick", "roundRobin");
    const std::pair<const char*, Pick> all[] = {{"first", Pick::first},
                                                {"last", Pick::last},
                                                {"random", Pick::random},
                                                {"roundRobin", Pick::roundRobin},
                                                {"leastLoaded", Pick::leastLoaded},
                                                {"leastMemory", Pick::leastMemory},
                                                {"sticky", Pick::sticky}};
    for (const auto& [known, pick] : all) {
        if (name == known) return pick;
    }
    arguments.refuse(place, "pick",
                     "first, last, random, roundRobin, leastLoaded, leastMemory or "
                     "sticky");
}

Scope scopeOf(const std::string& name) {
    if (name == "process") return Scope::process;
    if (name == "host") return Scope::host;
    if (name == "everywhere") return Scope::everywhere;
    throw std::invalid_argument("emit: scope is not process, host or everywhere");
}

std::string memberText(const Json& options, const char* name) {
    const auto found = options.find(name);
    if (found == options.end()) return {};
    if (!found->is_string())
        throw std::invalid_argument("emit: " + std::string(name) + " is not a text");
    return found->get<std::string>();
}

void checkEmitOptions(const Json& options) {
    for (const auto& [key, value] : options.items()) {
        const auto is = [&key = key](const char* known) { return key == known; };
        constexpr std::array known{"to", "id", "replyto", "broadcast", "scope"};
        if (std::none_of(known.begin(), known.end(), is))
            throw std::invalid_argument("emit: there is no option " + key +
                                        "; there are to, id, replyto, broadcast and scope");
    }
    if (!options.value("broadcast", Json(false)).is_boolean())
        throw std::invalid_argument("emit: broadcast is not true or false");
}

bool emit(Agent& agent, const Arguments& arguments) {
    const Json options = arguments.atMost(3).at(2).is_null() ? Json::object() : arguments.at(2);
    if (!options.is_object()) arguments.refuse(2, "options", "a table by name");
    checkEmitOptions(options);
    const std::string to = memberText(options, "to"), id = memberText(options, "id"),
                      replyTo = memberText(options, "replyto"),
                      scope = memberText(options, "scope");
    EmitOptions how;
    how.to = to;
    how.id = id;
    how.replyTo = replyTo;
    if (!scope.empty()) how.scope = scopeOf(scope);
    how.broadcast = options.value("broadcast", Json(false)) == Json(true);
    return agent.emit(arguments.text(0, "event"), arguments.at(1), how) == Emitted::accepted;
}

Json jsonOf(const Node& node) {
    Json services = Json::array();
    for (const Service& service : node.services) {
        services.push_back({{"name", service.name}, {"port", service.port}});
    }
    return {{"id", node.id},      {"regions", node.regions}, {"info", node.info},
            {"host", node.host},  {"services", services},    {"own", node.own},
            {"stats", node.stats}};
}

}  // namespace

void Worker::Impl::define(Generation& generation) {
    defineCalls(generation);
    defineRest(generation);
}

void Worker::Impl::defineCalls(Generation& generation) {
    // Nothing is waited for longer than the call itself may take: it would outlive the call.
    const auto most = settings_.limits.wall;
    generation.script.defineWaiting(
        "call", [this, most](const Json& values, Script::Answer answer) {
            const Arguments arguments("call", values);
            arguments.atMost(4);
            auto answers = std::make_shared<Json>(Json::array());
            tasks_->call(
                arguments.text(0, "target"), arguments.text(1, "name"), arguments.at(2),
                std::min(most, arguments.secondsOr(3, defaultSeconds)),
                [answers](const Answer& one) { answers->push_back(jsonOf(one)); },
                [this, answers, answer] {
                    answer.succeed(*answers);
                    wake();
                });
        });
    generation.script.defineWaiting(
        "callOne", [this, most](const Json& values, Script::Answer answer) {
            const Arguments arguments("callOne", values);
            arguments.atMost(6);
            tasks_->callOne(arguments.text(0, "target"), arguments.text(1, "name"), arguments.at(2),
                            std::min(most, arguments.secondsOr(3, defaultSeconds)),
                            pickOf(arguments, 4), arguments.textOr(5, "key", ""),
                            [this, answer](const Answer& one) {
                                answer.succeed(jsonOf(one));
                                wake();
                            });
        });
    generation.script.defineWaiting(
        "sleep", [this, most](const Json& values, Script::Answer answer) {
            // The second more is for the call to be cut off in.
            const auto time =
                std::min(most + std::chrono::seconds(1), Arguments("sleep", values).seconds(0));
            auto timer = std::make_shared<boost::asio::steady_timer>(io_, time);
            timer->async_wait([weak = weak_from_this(), timer, answer](boost::system::error_code) {
                const auto self = weak.lock();
                if (!self || self->closed_) return;
                answer.succeed(nullptr);
                self->wake();
            });
        });
}

void Worker::Impl::defineRest(Generation& generation) {
    generation.script.define("emit", [this](const Json& values) -> Json {
        return emit(tasks_->agent(), Arguments("emit", values));
    });
    generation.script.define("send", [this](const Json& values) -> Json {
        const Arguments arguments("send", values);
        arguments.atMost(3);
        return tasks_->send(arguments.text(0, "target"), arguments.text(1, "name"),
                            arguments.at(2)) == Emitted::accepted;
    });
    generation.script.define("nodes", [this](const Json& values) -> Json {
        const Arguments arguments("nodes", values);
        const auto known = arguments.at(0).is_null()
                               ? tasks_->agent().nodes()
                               : tasks_->agent().nodes(arguments.text(0, "target"));
        Json list = Json::array();
        for (const Node& node : known) list.push_back(jsonOf(node));
        return list;
    });
    generation.script.define("info", [this](const Json&) { return info(); });
    generation.script.define("report", [this](const Json& values) -> Json {
        const Arguments arguments("report", values);
        if (!arguments.at(0).is_object()) arguments.refuse(0, "members", "a table by name");
        tasks_->agent().reportStats(arguments.at(0));
        return nullptr;
    });
}

Json Worker::Impl::info() {
    const std::chrono::duration<double> up = std::chrono::steady_clock::now() - started_;
    std::size_t memory = 0;
    for (const auto& generation : generations_) memory += generation->script.memoryUsed();
    return {{"done", done_},
            {"failed", failed_},
            {"refused", refused_},
            {"missed", missed_},
            {"cut", cut_},
            {"underway", underWay()},
            {"commands", exec_.underWay()},
            {"skipped", skipped_ + (current_ ? current_->schedules.leftOut() : 0)},
            {"memory", memory},
            {"uptime", up.count()},
            {"loads", loads_},
            {"connected", tasks_->agent().connected()}};
}

}  // namespace netcluster::worker
