// ping and pong: one event under way at a time; the round trip is measured where it begins.
#include <algorithm>
#include <iostream>
#include <vector>

#include "roles.hpp"

namespace netcluster::bench {
namespace {

class Pinger {
  public:
    Pinger(Bus& bus, const Options& options)
        : bus_(bus),
          rounds_(options.number("rounds", 20'000)),
          warmUp_(std::min<std::size_t>(1000, rounds_ / 10)),
          interval_(options.nanoseconds("interval", 0)),
          limit_(options.nanoseconds("secs", 30)),
          payload_(options.number("size", 64)) {
        times_.reserve(rounds_ + warmUp_);
        link_ = bus.connect([this](std::string_view) { answered(); });
        link_->subscribe("pong.bench");
        link_->announce("ping.bench");
        link_->settle();
    }

    void run() {
        const std::int64_t began = nowNanoseconds();
        next_ = began;
        serve();
        while (!done_ && nowNanoseconds() - began < limit_) {
            const std::int64_t left = waiting_ ? next_ - nowNanoseconds() : limit_;
            if (waiting_ && left <= 0)
                serve();
            else
                bus_.poll(static_cast<int>(std::clamp<std::int64_t>(left / 1'000'000, 1, 100)));
        }
        report();
    }

  private:
    void serve() {
        waiting_ = false;
        next_ += interval_;
        sentAt_ = nowNanoseconds();
        link_->publish(payload_.with(times_.size()));
        link_->flush();
    }
    void answered() {
        times_.push_back(nowNanoseconds() - sentAt_);
        if (times_.size() >= rounds_ + warmUp_) {
            done_ = true;
        } else if (interval_ == 0) {
            serve();
            return;
        } else {
            waiting_ = true;
        }
        bus_.wake();
    }
    void report() {
        if (!done_) throw std::runtime_error("only " + std::to_string(times_.size()) + " answers");
        times_.erase(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(warmUp_));
        std::sort(times_.begin(), times_.end());
        const auto at = [this](double share) {
            const auto last = static_cast<double>(times_.size() - 1);
            return static_cast<double>(times_[static_cast<std::size_t>(share * last)]) / 1000;
        };
        std::cout << "rounds=" << times_.size() << " p50=" << at(0.5) << " p99=" << at(0.99)
                  << " p999=" << at(0.999) << " max=" << at(1) << std::endl;
    }

    Bus& bus_;
    const std::size_t rounds_;
    const std::size_t warmUp_;
    const std::int64_t interval_;  // between two rounds; 0: none
    const std::int64_t limit_;
    Payload payload_;
    std::unique_ptr<Link> link_;
    std::vector<std::int64_t> times_;
    std::int64_t sentAt_ = 0;
    std::int64_t next_ = 0;
    std::atomic<bool> waiting_{false};
    std::atomic<bool> done_{false};
};

}  // namespace

int ping(Bus& bus, const Options& options) {
    Pinger pinger(bus, options);
    const Control control(bus);
    while (!control.started()) bus.poll(20);
    pinger.run();
    return 0;
}

int pong(Bus& bus, const Options&) {
    std::unique_ptr<Link> link;
    link = bus.connect([&link](std::string_view payload) {
        link->publish(payload);
        link->flush();
    });
    link->subscribe("ping.bench");
    link->announce("pong.bench");
    link->settle();
    const Control control(bus);
    while (!control.stopped()) bus.poll(100);
    return 0;
}

}  // namespace netcluster::bench
