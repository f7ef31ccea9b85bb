#include "link.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "link_impl.hpp"

namespace netcluster::daemon {

Link::Link(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
           std::size_t maxEvent, NetSink& sink)
    : impl_(std::make_shared<Impl>(io, std::move(settings), std::move(identity), maxEvent, sink)) {}

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
nlohmann::json Link::stats() const {
    return impl_->stats();
}

}  // namespace netcluster::daemon
