// netcluster as a program uses it: the agent library, its public API and nothing else.
#include <filesystem>
#include <iostream>
#include <netcluster/agent.hpp>
#include <thread>

#include "bus.hpp"
#include "topics.hpp"

namespace netcluster::bench {
namespace {

/// A publisher that waits when the agent's queue is full: that is how the bus holds it back.
class AgentLink : public Link {
  public:
    AgentLink(const std::string& channel, const std::string& runDirectory, Handler handler)
        : agent_(channel, {.dir = runDirectory, .name = "bench", .queueLimit = queueLimit}),
          handler_(std::move(handler)) {
        agent_.onGap([](const Gap& gap) { std::cerr << "gap of " << gap.count << std::endl; });
    }

    void subscribe(const std::string& pattern) override {
        agent_.on(expressionOf(pattern), [this](const netcluster::Event& event) {
            if (!event.isBytes()) return handler_(event.text());
            const auto bytes = event.bytes();
            handler_({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        });
    }
    void settle() override { agent_.connect(patience); }
    void publish(std::string_view payload) override {
        while (emit(payload) == Emitted::queueFull) {
            ++heldBack_;
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
    }
    void flush() override {}  // the agent's thread writes
    void drain() override { agent_.sync(patience); }
    std::uint64_t heldBack() const override { return heldBack_; }

  protected:
    virtual Emitted emit(std::string_view payload) {
        return agent_.emitBytes(topic(), std::as_bytes(std::span(payload)));
    }
    Agent& agent() { return agent_; }

  private:
    // What a publisher that waits for room anyway would choose (docs/agent-guide.md): a queue that
    // stays in the processor's cache. Larger than the largest event measured, which is 1 MiB.
    static constexpr std::size_t queueLimit = std::size_t{2} << 20;
    static constexpr std::chrono::seconds patience{30};
    Agent agent_;
    Handler handler_;
    std::uint64_t heldBack_ = 0;
};

/// Emits JSON that changes in each event, as programs do; it is the same text as the others' bytes.
class JsonAgentLink final : public AgentLink {
  public:
    using AgentLink::AgentLink;

  private:
    Emitted emit(std::string_view payload) override {
        if (payload.size() != size_) {
            data_ = Json::parse(payload);
            sequence_ = &data_["seq"];
            size_ = payload.size();
        }
        *sequence_ = Payload::first + Payload::sequence(payload);
        return agent().emit(topic(), data_);
    }

    std::size_t size_ = 0;
    Json data_;
    Json* sequence_ = nullptr;
};

class AgentBus final : public Bus {
  public:
    AgentBus(std::string runDirectory, bool json)
        : runDirectory_(std::move(runDirectory)), json_(json) {}

    std::unique_ptr<Link> connect(Handler handler, std::size_t channel) override {
        const std::string directory = nextDirectory(channel);
        const std::string name = channelName(channel);
        if (json_) return std::make_unique<JsonAgentLink>(name, directory, std::move(handler));
        return std::make_unique<AgentLink>(name, directory, std::move(handler));
    }
    void poll(int milliseconds) override { waitForWake(milliseconds); }

  private:
    /// All agents of a process on one channel share a connection, unless their run directories
    /// differ: each but the first gets another name for the same one.
    std::string nextDirectory(std::size_t channel) {
        const std::size_t number = connected_[channel]++;
        if (number == 0) return runDirectory_;
        std::string link = runDirectory_ + '.' + std::to_string(number);
        if (!std::filesystem::exists(link)) {
            std::filesystem::create_directory_symlink(runDirectory_, link);
        }
        return link;
    }

    const std::string runDirectory_;
    const bool json_;
    std::map<std::size_t, std::size_t> connected_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options& options) {
    return std::make_unique<AgentBus>(address, options.number("json", 0) != 0);
}

}  // namespace netcluster::bench
