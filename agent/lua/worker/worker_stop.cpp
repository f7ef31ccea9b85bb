// How a worker stops: in the order of the functions below, each step from the one before.
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include "worker_impl.hpp"

namespace netcluster::worker {

void Worker::Impl::stop(std::function<void()> done) {
    if (stage_ != Stage::running) return stopNow();
    stage_ = Stage::stopping;
    stopped_ = std::move(done);
    scheduleTimer_.cancel();
    againTimer_.cancel();
    if (current_) deactivate(*current_);
    spdlog::info("stopping: {} calls and {} commands are under way", underWay(), exec_.underWay());
    // The node stays until they have answered: a node that is gone has lost its tasks.
    graceTimer_.expires_after(settings_.grace);
    graceTimer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        if (const auto self = weak.lock(); !error && self && !self->closed_) self->stopNow();
    });
    boost::asio::post(io_, [self = shared_from_this()] { self->stopWhenIdle(); });
}

void Worker::Impl::stopNow() {
    const std::size_t calls = underWay(), commands = exec_.underWay();
    if (calls + commands > 0) spdlog::warn("{} calls and {} commands are cut off", calls, commands);
    exec_.stop();
    const auto generations = generations_;
    for (const auto& generation : generations) generation->script.stop();
    stopWhenIdle();
}

void Worker::Impl::stopWhenIdle() {
    if (stage_ != Stage::stopping || underWay() + exec_.underWay() > 0) return;
    stage_ = Stage::finalizing;
    graceTimer_.cancel();
    if (!current_) return finished();
    hook(current_, "beforeFinalize", Then([self = shared_from_this()] { self->finalizeAll(); }));
}

void Worker::Impl::finalizeAll() {
    tasks_->agent().unregisterNode(settings_.id);
    current_->finalizing = true;
    hook(current_, "finalize", Then([self = shared_from_this()] { self->finished(); }));
}

void Worker::Impl::finished() {
    stage_ = Stage::stopped;
    tellRefused();
    if (!current_) tasks_->agent().unregisterNode(settings_.id);
    // What was answered and emitted last is on its way before we go.
    tasks_->agent().syncAsync(
        [self = shared_from_this()](const std::string&) {
            if (self->stopped_) std::exchange(self->stopped_, {})();
        },
        std::chrono::seconds(2));
}

}  // namespace netcluster::worker
