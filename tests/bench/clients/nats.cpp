// NATS core publish and subscribe over loopback TCP (it has no Unix sockets), with its C library,
// which reads, delivers and writes on threads of its own. With latency=1 it writes in the call that
// publishes; otherwise its thread gathers what is written.
#include <nats/nats.h>

#include "bus.hpp"

namespace netcluster::bench {
namespace {

void check(natsStatus status, const char* what) {
    if (status == NATS_OK) return;
    throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(status));
}

class NatsLink final : public Link {
  public:
    NatsLink(natsOptions* options, Handler handler) : handler_(std::move(handler)) {
        check(natsConnection_Connect(&connection_, options), "nats connect");
    }
    ~NatsLink() override {
        natsConnection_Close(connection_);
        natsConnection_Destroy(connection_);
    }
    NatsLink(const NatsLink&) = delete;
    NatsLink& operator=(const NatsLink&) = delete;

    void subscribe(const std::string& pattern) override {
        natsSubscription* subscription = nullptr;
        check(
            natsConnection_Subscribe(&subscription, connection_, pattern.c_str(), onMessage, this),
            "nats subscribe");
        check(natsSubscription_SetPendingLimits(subscription, -1, -1), "nats limits");
    }
    void settle() override { check(natsConnection_FlushTimeout(connection_, 10'000), "nats"); }
    void publish(std::string_view payload) override {
        check(natsConnection_Publish(connection_, topic().c_str(), payload.data(),
                                     static_cast<int>(payload.size())),
              "nats publish");
    }
    void flush() override {}
    void drain() override { check(natsConnection_FlushTimeout(connection_, 60'000), "nats"); }

  private:
    static void onMessage(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
        static_cast<NatsLink*>(self)->handler_(
            {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))});
        natsMsg_Destroy(message);
    }

    natsConnection* connection_ = nullptr;
    Handler handler_;
};

class NatsBus final : public Bus {
  public:
    NatsBus(const std::string& url, const Options& options) {
        check(natsOptions_Create(&options_), "nats options");
        check(natsOptions_SetURL(options_, url.c_str()), "nats url");
        check(natsOptions_SetSendAsap(options_, options.number("latency", 0) != 0), "nats asap");
        // Many connections of one process share a thread that delivers, as with the other peers.
        check(natsOptions_UseGlobalMessageDelivery(options_, options.number("conns", 1) > 1),
              "nats delivery");
    }
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<NatsLink>(options_, std::move(handler));
    }
    void poll(int milliseconds) override { waitForWake(milliseconds); }

  private:
    natsOptions* options_ = nullptr;  // for as long as the process lives
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options& options) {
    return std::make_unique<NatsBus>(address, options);
}

}  // namespace netcluster::bench
