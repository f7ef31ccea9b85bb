// ZeroMQ: PUB to a forwarder (zmq_forwarder.cpp) to SUB, over ipc. A message is the topic, a zero
// byte, and the payload. With the default high-water mark and NODROP, publishing waits instead of
// dropping. Patterns are prefixes.
#include <zmq.h>

#include <chrono>
#include <thread>
#include <vector>

#include "bus.hpp"

namespace netcluster::bench {
namespace {

class ZmqBus;

class ZmqLink final : public Link {
  public:
    ZmqLink(ZmqBus& bus, Handler handler) : bus_(bus), handler_(std::move(handler)) {}
    void subscribe(const std::string& pattern) override;
    void announce(const std::string& topic) override;
    void settle() override;
    void publish(std::string_view payload) override;
    void flush() override {}
    void readable();

  private:
    ZmqBus& bus_;
    Handler handler_;
    void* subscriber_ = nullptr;
    void* publisher_ = nullptr;
    std::string head_;
};

class ZmqBus final : public Bus {
  public:
    explicit ZmqBus(std::string directory)
        : directory_(std::move(directory)), context_(zmq_ctx_new()) {
        zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, 8192);
    }
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<ZmqLink>(*this, std::move(handler));
    }
    void poll(int milliseconds) override {
        if (items_.empty()) return waitForWake(milliseconds);
        if (zmq_poll(items_.data(), static_cast<int>(items_.size()), milliseconds) <= 0) return;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (items_[i].revents) owners_[i]->readable();
        }
    }

    void* open(int type, const char* side) {
        void* made = zmq_socket(context_, type);
        // Subscriptions travel to publishers under the same high-water mark, which drops the rest.
        const int on = 1, unlimited = 0;
        if (type == ZMQ_PUB) {
            zmq_setsockopt(made, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
            zmq_setsockopt(made, ZMQ_XPUB_NODROP, &on, sizeof on);
        }
        if (!made || zmq_connect(made, ("ipc://" + directory_ + '/' + side).c_str()) != 0) {
            throw std::runtime_error(std::string("zmq: ") + zmq_strerror(errno));
        }
        return made;
    }
    void serve(void* socket, ZmqLink& owner) {
        items_.push_back({socket, 0, ZMQ_POLLIN, 0});
        owners_.push_back(&owner);
    }
    /// Nothing tells when a subscription is in force: time must pass, once for all links.
    void settle() {
        if (settled_) return;
        settled_ = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(700 + 3 * items_.size()));
    }

  private:
    const std::string directory_;
    void* const context_;
    std::vector<zmq_pollitem_t> items_;
    std::vector<ZmqLink*> owners_;
    bool settled_ = false;
};

void ZmqLink::subscribe(const std::string& pattern) {
    if (!subscriber_) {
        subscriber_ = bus_.open(ZMQ_SUB, "out");
        bus_.serve(subscriber_, *this);
    }
    std::string prefix = pattern.substr(0, pattern.find('*'));
    if (prefix.size() == pattern.size()) prefix.push_back('\0');
    zmq_setsockopt(subscriber_, ZMQ_SUBSCRIBE, prefix.data(), prefix.size());
}

void ZmqLink::announce(const std::string& topic) {
    publisher_ = bus_.open(ZMQ_PUB, "in");
    head_ = topic + '\0';
}

void ZmqLink::settle() {
    bus_.settle();
}

void ZmqLink::publish(std::string_view payload) {
    zmq_msg_t message;
    zmq_msg_init_size(&message, head_.size() + payload.size());
    char* const bytes = static_cast<char*>(zmq_msg_data(&message));
    head_.copy(bytes, head_.size());
    payload.copy(bytes + head_.size(), payload.size());
    if (zmq_msg_send(&message, publisher_, 0) < 0) throw std::runtime_error("zmq send");
}

void ZmqLink::readable() {
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (int i = 0; i < 1024 && zmq_msg_recv(&message, subscriber_, ZMQ_DONTWAIT) >= 0; ++i) {
        const std::string_view all(static_cast<char*>(zmq_msg_data(&message)),
                                   zmq_msg_size(&message));
        handler_(all.substr(all.find('\0') + 1));
    }
    zmq_msg_close(&message);
}

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<ZmqBus>(address);
}

}  // namespace netcluster::bench
