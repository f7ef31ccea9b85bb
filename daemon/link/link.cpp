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
void Link::send(const wire::EventView& event) {
    impl_->send(event);
}
void Link::flush() {
    impl_->flush();
}
void Link::setKeys(link::Keyring keys) {
    impl_->setKeys(std::move(keys));
}
nlohmann::json Link::keyStats() const {
    return impl_->keyStats();
}
nlohmann::json Link::stats() const {
    return impl_->stats();
}

}  // namespace netcluster::daemon
