// MQTT with QoS 0 through mosquitto's Unix socket, with libmosquitto driven from one thread.
#include <mosquitto.h>

#include "epoll_bus.hpp"

namespace netcluster::bench {
namespace {

void check(int status, const char* what) {
    if (status == MOSQ_ERR_SUCCESS) return;
    throw std::runtime_error(std::string(what) + ": " + mosquitto_strerror(status));
}

std::string mqttTopic(std::string dotted) {
    std::replace(dotted.begin(), dotted.end(), '.', '/');
    std::replace(dotted.begin(), dotted.end(), '*', '+');
    return dotted;
}

class MosquittoLink final : public ReadableLink {
  public:
    MosquittoLink(EpollBus& bus, const std::string& path, Handler handler)
        : handler_(std::move(handler)), client_(mosquitto_new(nullptr, true, this)) {
        mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int status) {
            linkOf(self).connected_ = status == 0;
        });
        mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int, const int*) {
            --linkOf(self).unconfirmed_;
        });
        mosquitto_message_callback_set(
            client_, [](mosquitto*, void* self, const mosquitto_message* message) {
                linkOf(self).take(*message);
            });
        check(mosquitto_connect(client_, path.c_str(), 0, 3600), "mqtt connect");
        await([this] { return connected_; });
        bus.serve(mosquitto_socket(client_), *this);
    }
    ~MosquittoLink() override { mosquitto_destroy(client_); }
    MosquittoLink(const MosquittoLink&) = delete;
    MosquittoLink& operator=(const MosquittoLink&) = delete;

    void subscribe(const std::string& pattern) override {
        check(mosquitto_subscribe(client_, nullptr, mqttTopic(pattern).c_str(), 0), "subscribe");
        ++unconfirmed_;
        flush();
    }
    void announce(const std::string& topic) override { Link::announce(mqttTopic(topic)); }
    void settle() override {
        await([this] { return unconfirmed_ == 0; });
    }
    void publish(std::string_view payload) override {
        check(mosquitto_publish(client_, nullptr, topic().c_str(), static_cast<int>(payload.size()),
                                payload.data(), 0, false),
              "mqtt publish");
        flush();  // the library writes each by itself, and queues without bound what is not written
    }
    void flush() override {
        if (reading_) return;
        while (mosquitto_want_write(client_)) step(POLLOUT, 1000);
    }
    void readable() override {
        // The library takes one packet at a time, and writes only what is told outside of that.
        reading_ = true;
        for (std::uint64_t before = arrived_ - 1; arrived_ != before;) {
            before = arrived_;
            check(mosquitto_loop_read(client_, 1), "mqtt read");
        }
        reading_ = false;
        flush();
    }

  private:
    static MosquittoLink& linkOf(void* self) { return *static_cast<MosquittoLink*>(self); }

    void take(const mosquitto_message& message) {
        ++arrived_;
        handler_({static_cast<const char*>(message.payload),
                  static_cast<std::size_t>(message.payloadlen)});
    }
    template <typename Done>
    void await(Done done) {
        for (int i = 0; i < 100'000 && !done(); ++i) step(POLLIN, 100);
        if (!done()) throw std::runtime_error("mqtt: no answer");
    }
    /// A turn of the library's loop; its own uses select(), for descriptors below 1024 only.
    void step(short events, int milliseconds) {
        if (mosquitto_want_write(client_)) events |= POLLOUT;
        pollfd ready{mosquitto_socket(client_), events, 0};
        ::poll(&ready, 1, milliseconds);
        if (ready.revents & POLLOUT) check(mosquitto_loop_write(client_, 1), "mqtt write");
        if (ready.revents & (POLLIN | POLLHUP)) check(mosquitto_loop_read(client_, 1), "mqtt read");
    }

    Handler handler_;
    mosquitto* client_;
    bool connected_ = false;
    bool reading_ = false;
    std::size_t unconfirmed_ = 0;  // subscriptions
    std::uint64_t arrived_ = 0;
};

class MosquittoBus final : public EpollBus {
  public:
    explicit MosquittoBus(std::string path) : path_(std::move(path)) { mosquitto_lib_init(); }
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<MosquittoLink>(*this, path_, std::move(handler));
    }

  private:
    const std::string path_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<MosquittoBus>(address);
}

}  // namespace netcluster::bench
