// LCM over multicast: a datagram for each message, nothing repaired. ADDRESS is GROUP:PORT.
#include <lcm/lcm.h>

#include "bus.hpp"
#include "topics.hpp"

namespace netcluster::bench {
namespace {

class LcmLink final : public Link {
  public:
    LcmLink(lcm_t* lcm, Handler handler) : lcm_(lcm), handler_(std::move(handler)) {}
    ~LcmLink() override {
        if (subscription_) lcm_unsubscribe(lcm_, subscription_);
    }
    LcmLink(const LcmLink&) = delete;
    LcmLink& operator=(const LcmLink&) = delete;

    void subscribe(const std::string& pattern) override {
        subscription_ = lcm_subscribe(lcm_, expressionOf(pattern).c_str(), &LcmLink::take, this);
        if (!subscription_) throw std::runtime_error("lcm_subscribe");
        // It would keep 30 messages otherwise.
        lcm_subscription_set_queue_capacity(subscription_, 0);
    }
    void settle() override {}
    void publish(std::string_view payload) override {
        lcm_publish(lcm_, topic().c_str(), payload.data(), static_cast<unsigned>(payload.size()));
    }
    void flush() override {}

  private:
    static void take(const lcm_recv_buf_t* message, const char*, void* link) {
        static_cast<LcmLink*>(link)->handler_(
            {static_cast<const char*>(message->data), message->data_size});
    }

    lcm_t* lcm_;
    Handler handler_;
    lcm_subscription_t* subscription_ = nullptr;
};

class LcmBus final : public Bus {
  public:
    explicit LcmBus(const std::string& address)
        : lcm_(lcm_create(("udpm://" + address + "?ttl=1&recv_buf_size=4194304").c_str())) {
        if (!lcm_) throw std::runtime_error("lcm_create: " + address);
    }
    ~LcmBus() override { lcm_destroy(lcm_); }
    LcmBus(const LcmBus&) = delete;
    LcmBus& operator=(const LcmBus&) = delete;

    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<LcmLink>(lcm_, std::move(handler));
    }
    void poll(int milliseconds) override { lcm_handle_timeout(lcm_, milliseconds); }

  private:
    lcm_t* lcm_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<LcmBus>(address);
}

}  // namespace netcluster::bench
