// An Emitter to tell things, with an owner and an interest that write down what they are told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "event_access.hpp"
#include "hearing.hpp"

namespace netcluster::testing {

struct TestOwner : Owner {
    explicit TestOwner(bool postponing = false) : postponing_(postponing) {}
    void failed(const std::string& what) override { failures.push_back(what); }
    bool postpones() const override { return postponing_; }

    std::vector<std::string> failures;

  private:
    bool postponing_;
};

struct TestInterest : Interest {
    void wanted(const std::string& pattern) override { told.push_back("+" + pattern); }
    void unwanted(const std::string& pattern) override { told.push_back("-" + pattern); }
    std::vector<std::string> told;
};

struct Bench {
    TestInterest interest;
    std::shared_ptr<Emitter> emitter = std::make_shared<Emitter>("A", interest);
    std::shared_ptr<TestOwner> owner = std::make_shared<TestOwner>();

    ~Bench() { emitter->close(); }

    std::uint64_t on(std::string_view pattern, std::function<void(const Event&)> handler) const {
        return emitter->add(owner, pattern, std::move(handler), {});
    }
    std::uint64_t once(std::string_view pattern, std::function<void(const Event&)> handler) const {
        return emitter->add(owner, pattern, std::move(handler), {Emitter::Times::once, false});
    }
    bool remove(std::uint64_t id) const { return emitter->remove(*owner, id); }

    void emit(std::string_view name, const Owner* from = nullptr) const {
        static const Json data = 1;
        LocalEvent local;
        local.name = name;
        local.channel = "A";
        local.data = &data;
        const Event event = EventAccess::local(local);
        Hearing(*emitter, name).run(event, from);
    }
};

}  // namespace netcluster::testing
