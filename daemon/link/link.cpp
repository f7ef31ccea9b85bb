#include "link.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "link_impl.hpp"

namespace netcluster::daemon {

Link::Link(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
           link::Keyring keys, std::size_t maxEvent, NetSink& sink)
    : impl_(std::make_shared<Impl>(io, std::move(settings), std::move(identity), std::move(keys),
                                   maxEvent, sink)) {}

Link::~Link() {
    impl_->close();
}

void Link::open() {
    impl_->open();
}
void Link::close() {
    impl_->close();
}
void Link::describe(std::function<HostDescription()> describe) {
    impl_->describe(std::move(describe));
}
void Link::send(const wire::EventRun& events) {
    impl_->send(events);
}
void Link::flush() {
    impl_->flush();
}
bool Link::holdsSenders(const wire::EventRun& events) const {
    return impl_->holdsSenders(events);
}
void Link::awaitRoom(Waiter& sender) {
    impl_->awaitRoom(sender);
}
void Link::setKeys(link::Keyring keys) {
    impl_->setKeys(std::move(keys));
}
nlohmann::json Link::stats() const {
    return impl_->stats();
}
nlohmann::json Link::hosts() const {
    return impl_->hosts();
}
nlohmann::json Link::strangers() const {
    return impl_->strangers();
}
nlohmann::json Link::keyStats() const {
    return impl_->keyStats();
}
void Link::probe(std::chrono::milliseconds wait, std::function<void(nlohmann::json)> done) {
    impl_->probe(wait, std::move(done));
}

}  // namespace netcluster::daemon
