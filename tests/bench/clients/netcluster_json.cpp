// A client of netcluster 1.x: JSON packets ended by NUL, joined from strings, and looked at no
// deeper than it must. Such a client gets every event of its channel.
#include "epoll_bus.hpp"
#include "topics.hpp"

namespace netcluster::bench {
namespace {

class JsonLink final : public StreamLink {
  public:
    JsonLink(EpollBus& bus, const std::string& runDirectory, std::size_t channel, Handler handler)
        : StreamLink(bus, runDirectory + '/' + channelName(channel) + ".sock"),
          handler_(std::move(handler)) {}

    void subscribe(const std::string& topic) override {
        wanted_ = "\"event\":\"" + topic + "\",\"data\":";
    }
    void announce(const std::string& topic) override {
        head_ = "{\"event\":\"" + topic + "\",\"data\":";
    }
    /// There is nothing to wait for: the daemon serves a connection from its first moment.
    void settle() override {}
    void publish(std::string_view payload) override {
        pending().append(head_).append(payload).append("}", 2);  // with its NUL
        flushWhenMuch();
    }

  private:
    std::size_t consume(std::string_view bytes) override {
        std::size_t taken = 0;
        for (std::size_t end; (end = bytes.find('\0', taken)) != bytes.npos; taken = end + 1) {
            onPacket(bytes.substr(taken, end - taken));
        }
        return taken;
    }
    void onPacket(std::string_view packet) {
        const std::size_t found = packet.find(wanted_);
        if (found != packet.npos) {
            const std::size_t data = found + wanted_.size();
            handler_(packet.substr(data, packet.size() - 1 - data));
        } else if (packet.find("\"event\":\"nc-") != packet.npos) {
            std::cerr << packet << std::endl;
        }
    }

    Handler handler_;
    std::string head_;
    std::string wanted_ = " ";  // which is in no packet: nothing
};

class JsonBus final : public EpollBus {
  public:
    explicit JsonBus(std::string runDirectory) : runDirectory_(std::move(runDirectory)) {}
    std::unique_ptr<Link> connect(Handler handler, std::size_t channel) override {
        return std::make_unique<JsonLink>(*this, runDirectory_, channel, std::move(handler));
    }

  private:
    const std::string runDirectory_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<JsonBus>(address);
}

}  // namespace netcluster::bench
