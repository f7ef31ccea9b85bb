// A thin client of netcluster's binary encoding (docs/wire-protocol.md), many connections in one
// loop: what the protocol and the daemon cost, without the agent library.
#include "epoll_bus.hpp"
#include "frame.hpp"
#include "topics.hpp"

namespace netcluster::bench {
namespace {

class WireLink final : public StreamLink {
  public:
    WireLink(EpollBus& bus, const std::string& runDirectory, std::size_t channel, Handler handler)
        : StreamLink(bus, runDirectory + '/' + channelName(channel) + ".sock"),
          channel_(channelName(channel)),
          handler_(std::move(handler)) {
        pending() += wire::preface;
        wire::appendHello(pending(), {.agent = "bench"});
        flush();
        readUntil([this] { return welcome_; });
    }

    void subscribe(const std::string& pattern) override {
        const std::string expression = expressionOf(pattern);
        wire::appendSubscribe(pending(), {.id = ++subscriptions_, .pattern = expression});
        flushWhenMuch();
    }
    void settle() override {
        wire::appendSync(pending(), wire::FrameType::sync, ++token_);
        flush();
        readUntil([this] { return synced_ == token_; });
    }
    void publish(std::string_view payload) override {
        wire::EventView event;
        event.flags = wire::bytesFlag;
        event.name = topic();
        event.channel = channel_;
        event.payload = payload;
        wire::appendEvent(pending(), event);
        flushWhenMuch();
    }

  private:
    std::size_t consume(std::string_view bytes) override {
        std::size_t taken = 0;
        if (!prefaced_) {
            // Before it: JSON packets, which a JSON client would have been meant to get.
            taken = bytes.find(wire::preface);
            if (taken == bytes.npos) return 0;
            taken += wire::preface.size();
            prefaced_ = true;
        }
        wire::FrameView frame;
        while (wire::nextFrame(bytes.substr(taken), maxFrame, frame) == wire::Walk::frame) {
            taken += frame.type == wire::FrameType::event ? onEvents(frame, bytes.substr(taken))
                                                          : onFrame(frame);
        }
        return taken;
    }
    /// The event that `bytes` begin with, and those like it behind it. Returns their size.
    std::size_t onEvents(const wire::FrameView& frame, std::string_view bytes) {
        const wire::EventRun run =
            wire::readRun(wire::readEvent(frame).value(), bytes, maxFrame - wire::maxEventOverhead);
        wire::forEachFrame(run.frames,
                           [&](std::string_view one) { handler_(run.event(one).payload); });
        return run.frames.size();
    }
    std::size_t onFrame(const wire::FrameView& frame) {
        switch (frame.type) {
            case wire::FrameType::welcome:
                welcome_ = true;
                break;
            case wire::FrameType::synced:
                synced_ = wire::readSync(frame).value();
                break;
            case wire::FrameType::gap:
                std::cerr << "gap of " << wire::readGap(frame).value().count << std::endl;
                break;
            case wire::FrameType::goodbye:
                throw std::runtime_error("goodbye: " + std::string(wire::readGoodbye(frame)));
            case wire::FrameType::refused:
                throw std::runtime_error("refused: " +
                                         std::string(wire::readRefused(frame).value().reason));
            default:
                break;
        }
        return frame.whole.size();
    }

    static constexpr std::size_t maxFrame = 16 << 20;
    const std::string channel_;
    Handler handler_;
    bool prefaced_ = false;
    bool welcome_ = false;
    std::uint32_t subscriptions_ = 0;
    std::uint64_t token_ = 0;
    std::uint64_t synced_ = 0;
};

class WireBus final : public EpollBus {
  public:
    explicit WireBus(std::string runDirectory) : runDirectory_(std::move(runDirectory)) {}
    std::unique_ptr<Link> connect(Handler handler, std::size_t channel) override {
        return std::make_unique<WireLink>(*this, runDirectory_, channel, std::move(handler));
    }

  private:
    const std::string runDirectory_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<WireBus>(address);
}

}  // namespace netcluster::bench
