// tick and watch: events at a steady rate, each with the time at which it was published, and how
// old they are when they arrive. Both processes read the same clock.
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <vector>

#include "roles.hpp"

namespace netcluster::bench {
namespace {

/// What a payload begins with.
struct Stamp {
    std::uint64_t sequence;
    std::int64_t published;
};

void sleepUntil(std::int64_t due) {
    const timespec time{due / 1'000'000'000, due % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

double microseconds(std::int64_t nanoseconds) {
    return static_cast<double>(nanoseconds) / 1000;
}

/// The value that `share` of them are not above; 0 when there are none.
double quantile(std::vector<std::int64_t> values, double share) {
    if (values.empty()) return 0;
    const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(place);
    std::nth_element(values.begin(), at, values.end());
    return microseconds(*at);
}

/// Its handler is called by `bus.poll` alone: for busses without threads of their own.
class Watcher {
  public:
    Watcher(Bus& bus, const Options& options)
        : bus_(bus),
          patience_(options.nanoseconds("patience", 2)),
          warmUp_(options.number("warmup", 0)),
          late_(static_cast<std::int64_t>(options.number("late", 0)) * 1000),
          link_(bus.connect([this](std::string_view event) { take(event); })) {
        link_->subscribe("log.bench");
        link_->settle();
    }
    void run(const Control& control) {
        control.await(
            bus_, patience_, [this] { return received_; },
            [](std::uint64_t published) { return published; });
        std::vector<std::int64_t> late;
        std::vector<std::int64_t> first;  // of each row of late events
        bool wasLate = false;
        for (const std::int64_t age : ages_) {
            const bool isLate = late_ && age > late_;
            if (isLate) late.push_back(age);
            if (isLate && !wasLate) first.push_back(age);
            wasLate = isLate;
        }
        std::cout << std::fixed << std::setprecision(1) << "received=" << received_
                  << " disorder=" << disorder_ << " p50=" << quantile(ages_, 0.5)
                  << " p99=" << quantile(ages_, 0.99) << " max=" << quantile(ages_, 1)
                  << " late=" << late.size() << " late_p50=" << quantile(late, 0.5)
                  << " rows=" << first.size() << " first_p50=" << quantile(first, 0.5)
                  << " first_p99=" << quantile(first, 0.99) << std::endl;
    }

  private:
    void take(std::string_view event) {
        const std::int64_t now = nowNanoseconds();
        Stamp stamp{};
        std::memcpy(&stamp, event.data(), sizeof stamp);
        ++received_;
        if (stamp.sequence < next_)
            ++disorder_;
        else
            next_ = stamp.sequence + 1;
        if (stamp.sequence >= warmUp_) ages_.push_back(now - stamp.published);
    }

    Bus& bus_;
    const std::int64_t patience_;
    const std::uint64_t warmUp_;  // events at the beginning that do not count
    const std::int64_t late_;     // from which age on an event is late; 0: none is
    std::unique_ptr<Link> link_;
    std::uint64_t received_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t disorder_ = 0;
    std::vector<std::int64_t> ages_;
};

}  // namespace

int tick(Bus& bus, const Options& options) {
    const std::uint64_t count = options.number("count", 1000);
    const auto interval = 1'000'000'000 / static_cast<std::int64_t>(options.number("rate", 10));
    std::string payload(options.number("size", 100), 'x');
    const auto link = bus.connect([](std::string_view) {});
    link->announce("log.bench");
    link->settle();
    const Control control(bus);
    while (!control.started()) bus.poll(20);

    prctl(PR_SET_TIMERSLACK, 1);  // the system would wake us 50 µs late otherwise
    const std::int64_t start = nowNanoseconds();
    for (std::uint64_t sequence = 0; sequence < count && !control.stopped(); ++sequence) {
        sleepUntil(start + static_cast<std::int64_t>(sequence) * interval);
        const Stamp stamp{sequence, nowNanoseconds()};
        std::memcpy(payload.data(), &stamp, sizeof stamp);
        link->publish(payload);
        link->flush();
    }
    link->drain();
    std::cout << "sent=" << count << std::endl;
    while (!control.stopped()) bus.poll(50);
    return 0;
}

int watch(Bus& bus, const Options& options) {
    Watcher watcher(bus, options);
    const Control control(bus);
    watcher.run(control);
    return 0;
}

}  // namespace netcluster::bench
