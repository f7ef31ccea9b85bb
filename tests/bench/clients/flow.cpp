// pub and sub: a flow in one direction, either as fast as the bus takes it ("open"), or within a
// window that the subscriber opens by publishing acknowledgements over the same bus.
#include <algorithm>
#include <iostream>
#include <vector>

#include "roles.hpp"

namespace netcluster::bench {
namespace {

constexpr const char* acknowledgements = "ack.bench";
constexpr std::int64_t second = 1'000'000'000;

/// What came on one link. Its own cache line: each may be filled by another thread.
struct alignas(64) Tally {
    std::atomic<std::uint64_t> count{0};
    std::uint64_t next = 0;
    std::uint64_t disorder = 0;  // not later than one that came before: late, or twice

    void take(std::uint64_t sequence) {
        if (sequence < next)
            ++disorder;
        else
            next = sequence + 1;
        // One writer: no need for an atomic addition.
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    std::uint64_t now() const { return count.load(std::memory_order_relaxed); }
};

class Publisher {
  public:
    Publisher(Bus& bus, const Options& options)
        : bus_(bus),
          window_(options.number("window", 0)),
          limit_(options.nanoseconds("secs", 2)),
          payload_(options.number("size", 100)) {
        const std::size_t channels = options.number("channels", 1);
        for (std::size_t channel = 0; channel < channels; ++channel) {
            links_.push_back(bus.connect(
                [this](std::string_view acknowledged) {
                    acknowledged_ = Payload::sequence(acknowledged);
                    bus_.wake();
                },
                channel));
            if (window_) links_.back()->subscribe(acknowledgements);
            links_.back()->announce("log.bench");
        }
        for (const auto& link : links_) link->settle();
    }

    void run() {
        const std::int64_t start = nowNanoseconds();
        std::int64_t now = start;
        while (now - start < limit_ && sent_ < Payload::capacity && !lost_) {
            for (int i = 0; i < 64 && !lost_; ++i) publishOne();
            now = nowNanoseconds();
        }
        std::uint64_t heldBack = 0;
        for (const auto& link : links_) {
            link->drain();
            heldBack += link->heldBack();
        }
        std::cout << "sent=" << sent_ << " start_ns=" << start << " heldback=" << heldBack
                  << " window_lost=" << lost_ << std::endl;
    }

  private:
    void publishOne() {
        if (window_ && sent_ - acknowledged_ >= window_) awaitAcknowledgement();
        links_[sent_ % links_.size()]->publish(payload_.with(sent_));
        ++sent_;
    }
    void awaitAcknowledgement() {
        for (const auto& link : links_) link->flush();
        const std::int64_t giveUp = nowNanoseconds() + 2 * second;
        while (sent_ - acknowledged_ >= window_ && !lost_) {
            bus_.poll(20);
            lost_ = nowNanoseconds() > giveUp;  // events, or the acknowledgement of them
        }
    }

    Bus& bus_;
    const std::uint64_t window_;
    const std::int64_t limit_;
    Payload payload_;
    std::vector<std::unique_ptr<Link>> links_;
    std::uint64_t sent_ = 0;
    std::atomic<std::uint64_t> acknowledged_{0};
    bool lost_ = false;
};

class Subscriber {
  public:
    Subscriber(Bus& bus, const Options& options)
        : bus_(bus),
          channels_(options.number("channels", 1)),
          patience_(options.nanoseconds("patience", 2)),
          step_(stepOf(options.number("window", 0), channels_)),
          tallies_(std::max<std::size_t>(options.number("conns", 1), channels_)) {
        for (std::size_t i = 0; i < tallies_.size(); ++i) {
            links_.push_back(
                bus.connect([this, i](std::string_view event) { take(i, event); }, i % channels_));
            for (std::uint64_t other = 1; other < options.number("patterns", 1); ++other) {
                links_.back()->subscribe("log.n" + std::to_string(other) + ".*");
            }
            links_.back()->subscribe(options.text("topic", "log.bench"));
            if (step_) links_.back()->announce(acknowledgements);
        }
        for (const auto& link : links_) link->settle();
    }

    void run(const Control& control) {
        control.await(
            bus_, patience_, [this] { return total(); },
            [this](std::uint64_t published) { return published * tallies_.size() / channels_; });
        std::uint64_t disorder = 0;
        for (const Tally& tally : tallies_) disorder += tally.disorder;
        std::cout << "received=" << total() << " last_ns=" << last_ << " disorder=" << disorder
                  << std::endl;
    }

  private:
    /// A quarter of the window, of which each channel has its share.
    static std::uint64_t stepOf(std::uint64_t window, std::size_t channels) {
        return window ? std::max<std::uint64_t>(1, window / (4 * channels)) : 0;
    }
    std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const Tally& tally : tallies_) sum += tally.now();
        return sum;
    }

    void take(std::size_t link, std::string_view event) {
        Tally& tally = tallies_[link];
        tally.take(Payload::sequence(event));
        const std::uint64_t count = tally.now();
        // Reading the clock for each event would be a good part of what is measured. Publishers
        // publish multiples of 64, so the last is among those looked at.
        if (count % 16 == 0) last_.store(nowNanoseconds(), std::memory_order_relaxed);
        if (step_ && count % step_ == 0) acknowledge();
    }
    /// What the slowest link has, in whole steps.
    void acknowledge() {
        const std::lock_guard lock(mutex_);
        std::uint64_t lowest = ~std::uint64_t{0};
        for (const Tally& tally : tallies_) lowest = std::min(lowest, tally.now());
        lowest *= channels_;
        if (lowest < acknowledged_ + step_) return;
        acknowledged_ = lowest;
        links_[0]->publish(acknowledgement_.with(acknowledged_));
        links_[0]->flush();
    }

    Bus& bus_;
    const std::size_t channels_;
    const std::int64_t patience_;
    const std::uint64_t step_;  // events of a link between acknowledgements; 0: none wanted
    std::vector<Tally> tallies_;
    std::vector<std::unique_ptr<Link>> links_;
    std::atomic<std::int64_t> last_{0};
    Payload acknowledgement_{16};
    std::mutex mutex_;  // of what follows: links may have threads of their own
    std::uint64_t acknowledged_ = 0;
};

}  // namespace

int publish(Bus& bus, const Options& options) {
    Publisher publisher(bus, options);
    const Control control(bus);
    while (!control.started()) bus.poll(20);
    publisher.run();
    while (!control.stopped()) bus.poll(50);  // keeps the connection until the subscriber is done
    return 0;
}

int subscribe(Bus& bus, const Options& options) {
    Subscriber subscriber(bus, options);
    const Control control(bus);
    subscriber.run(control);
    return 0;
}

}  // namespace netcluster::bench
