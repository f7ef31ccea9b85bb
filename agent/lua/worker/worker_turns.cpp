// Calls of scripts take turns with all else that the loop does; schedules begin some.
#include <boost/asio/post.hpp>

#include "worker_impl.hpp"

namespace netcluster::worker {
namespace {

using lua::Script;
using std::chrono::steady_clock;

/// How long scripts run before the loop looks at everything else.
constexpr std::chrono::microseconds turnTime{4000};
/// How often calls are looked at that take too long.
constexpr std::chrono::milliseconds lookTime{100};

}  // namespace

void Worker::Impl::wake() {
    if (!std::exchange(waking_, true)) {
        boost::asio::post(io_, [weak = weak_from_this()] {
            if (const auto self = weak.lock(); self && !self->closed_) self->turn();
        });
    }
    if (!looking_) lookAround();
}

void Worker::Impl::turn() {
    waking_ = false;
    bool more = false;
    const auto generations = generations_;  // may change
    for (const auto& generation : generations) {
        more = generation->script.work(turnTime) || more;
        if (generation->ending && !generation->finalizing && generation->script.idle())
            finalizeOld(generation);
    }
    if (more) wake();
    stopWhenIdle();
}

/// Now and then, while there are calls.
void Worker::Impl::lookAround() {
    looking_ = true;
    lookTimer_.expires_after(lookTime);
    lookTimer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->closed_) return;
        const auto generations = self->generations_;
        for (const auto& generation : generations) generation->script.expire(steady_clock::now());
        self->looking_ = false;
        if (self->underWay() > 0) self->wake();
        self->stopWhenIdle();
    });
}

void Worker::Impl::armSchedules() {
    const auto next =
        current_ && stage_ == Stage::running ? current_->schedules.next() : std::nullopt;
    scheduleTimer_.cancel();
    if (!next) return;
    scheduleTimer_.expires_at(*next);
    scheduleTimer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->closed_ || !self->current_) return;
        self->runSchedules(self->current_);
        self->armSchedules();
    });
}

void Worker::Impl::runSchedules(const std::shared_ptr<Generation>& generation) {
    for (const std::string& function : generation->schedules.due(steady_clock::now())) {
        if (const std::string why = refusal(0); !why.empty()) {
            refused("schedule " + function, why);
            generation->schedules.ended(function);
            continue;
        }
        call(generation, "schedule", {.function = function}, 0,
             [weak = std::weak_ptr<Generation>(generation), function](Script::Outcome&&) {
                 if (const auto of = weak.lock()) of->schedules.ended(function);
             });
    }
}

}  // namespace netcluster::worker
