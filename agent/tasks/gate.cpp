#include "gate.hpp"

#include <algorithm>
#include <vector>

namespace netcluster::tasks {
namespace {

// The gates this thread is inside of, once for each stay. Stays end in the reverse order.
std::vector<const Gate*>& stays() {
    thread_local std::vector<const Gate*> gates;
    return gates;
}

}  // namespace

Gate::Pass::Pass(Gate& gate) {
    const std::lock_guard lock(gate.mutex_);
    if (gate.closed_) return;
    stays().push_back(&gate);
    ++gate.inside_;
    gate_ = &gate;
}

Gate::Pass::~Pass() {
    if (!gate_) return;
    stays().pop_back();
    const std::lock_guard lock(gate_->mutex_);
    --gate_->inside_;
    if (gate_->closed_) gate_->left_.notify_all();
}

void Gate::close() {
    const auto mine = static_cast<std::size_t>(std::count(stays().begin(), stays().end(), this));
    std::unique_lock lock(mutex_);
    closed_ = true;
    left_.wait(lock, [&] { return inside_ == mine; });
}

bool Gate::closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
}

}  // namespace netcluster::tasks
