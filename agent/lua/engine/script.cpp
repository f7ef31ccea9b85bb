#include "script.hpp"

#include "script_impl.hpp"

namespace netcluster::lua {

Script::Script(Setup setup) : impl_(std::make_unique<Impl>(std::move(setup))) {}
Script::~Script() = default;

void Script::define(const std::string& name, Function function) {
    impl_->define({impl_.get(), name, std::move(function), {}});
}
void Script::defineWaiting(const std::string& name, WaitingFunction function) {
    impl_->define({impl_.get(), name, {}, std::move(function)});
}
void Script::load() {
    impl_->load();
}
std::vector<Script::Schedule> Script::schedules() {
    return impl_->schedules();
}
std::vector<std::pair<std::string, std::string>> Script::events() {
    return impl_->events();
}
void Script::check(const std::vector<std::string>& hooks) {
    impl_->check(hooks);
}
bool Script::has(const std::string& globalFunction) {
    return impl_->has(globalFunction);
}
Script::Id Script::start(Call call, Done done) {
    return impl_->start(std::move(call), std::move(done));
}
bool Script::work(std::chrono::microseconds budget) {
    return impl_->work(budget);
}
std::size_t Script::underWay() const {
    return impl_->underWay();
}
void Script::expire(Clock::time_point now) {
    impl_->expire(now);
}
void Script::stop() {
    impl_->stop();
}
std::size_t Script::memoryUsed() const {
    return impl_->memoryUsed();
}

void Script::Answer::Target::give(Reply reply) const {
    if (const auto alive = script.lock()) (*alive)->answered(call, wait, std::move(reply));
}
void Script::Answer::succeed(const Json& result) const {
    target_->give({true, result, {}});
}
void Script::Answer::fail(const std::string& why) const {
    target_->give({false, nullptr, why});
}

}  // namespace netcluster::lua
