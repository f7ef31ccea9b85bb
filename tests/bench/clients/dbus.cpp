// D-Bus signals through dbus-daemon, with sd-bus: bench.Event.Emit(topic, payload), delivered by
// match rules on the topic.
#include <systemd/sd-bus.h>

#include "epoll_bus.hpp"

namespace netcluster::bench {
namespace {

void check(int status, const char* what) {
    if (status >= 0) return;
    throw std::runtime_error(std::string(what) + ": " + std::strerror(-status));
}

class DbusLink final : public ReadableLink {
  public:
    DbusLink(EpollBus& bus, const std::string& path, Handler handler)
        : handler_(std::move(handler)) {
        check(sd_bus_new(&connection_), "new");
        check(sd_bus_set_address(connection_, ("unix:path=" + path).c_str()), "address");
        check(sd_bus_set_bus_client(connection_, 1), "client");
        check(sd_bus_start(connection_), "start");
        bus.serve(sd_bus_get_fd(connection_), *this);
    }
    ~DbusLink() override { sd_bus_unref(connection_); }
    DbusLink(const DbusLink&) = delete;
    DbusLink& operator=(const DbusLink&) = delete;

    void subscribe(const std::string& pattern) override {
        const std::size_t star = pattern.find(".*");
        const std::string topic = star == pattern.npos
                                      ? "arg0='" + pattern + '\''
                                      : "arg0namespace='" + pattern.substr(0, star) + '\'';
        const std::string rule = "type='signal',interface='bench.Event',member='Emit'," + topic;
        check(sd_bus_add_match(connection_, nullptr, rule.c_str(), onSignal, this), "match");
    }
    void settle() override { readable(); }
    void publish(std::string_view payload) override {
        payload_ = payload;
        check(sd_bus_emit_signal(connection_, "/bench", "bench.Event", "Emit", "ss",
                                 topic().c_str(), payload_.c_str()),
              "emit");
        std::uint64_t queued = 0;
        if (sd_bus_get_n_queued_write(connection_, &queued) >= 0 && queued > 64) flush();
    }
    void flush() override { check(sd_bus_flush(connection_), "flush"); }
    void readable() override {
        while (sd_bus_process(connection_, nullptr) > 0) continue;
    }

  private:
    static int onSignal(sd_bus_message* message, void* self, sd_bus_error*) {
        const char* topic = nullptr;
        const char* payload = nullptr;
        if (sd_bus_message_read(message, "ss", &topic, &payload) >= 0) {
            static_cast<DbusLink*>(self)->handler_(payload);
        }
        return 0;
    }

    Handler handler_;
    sd_bus* connection_ = nullptr;
    std::string payload_;
};

class DbusBus final : public EpollBus {
  public:
    explicit DbusBus(std::string path) : path_(std::move(path)) {}
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<DbusLink>(*this, path_, std::move(handler));
    }

  private:
    const std::string path_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<DbusBus>(address);
}

}  // namespace netcluster::bench
