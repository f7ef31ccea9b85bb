// Clients of the relay (relay.cpp): four bytes of length, then the payload.
#include "epoll_bus.hpp"

namespace netcluster::bench {
namespace {

class RawLink final : public StreamLink {
  public:
    RawLink(EpollBus& bus, const std::string& path, std::size_t channel, Handler handler)
        : StreamLink(bus, path),
          prefix_(std::to_string(channel) + '.'),
          handler_(std::move(handler)) {}

    void subscribe(const std::string& topic) override { ask('S', topic); }
    void announce(const std::string& topic) override { ask('P', topic); }
    void settle() override {
        readUntil([this] { return confirmed_ == asked_; });
    }
    void publish(std::string_view payload) override {
        const auto size = static_cast<std::uint32_t>(payload.size());
        pending().append(reinterpret_cast<const char*>(&size), sizeof size).append(payload);
        flushWhenMuch();
    }

  private:
    void ask(char what, const std::string& topic) {
        pending() += std::string{what, ' '} + prefix_ + topic + '\n';
        flush();
        ++asked_;
    }
    std::size_t consume(std::string_view bytes) override {
        std::size_t taken = 0;
        std::uint32_t size = 0;
        while (bytes.size() - taken >= sizeof size) {
            bytes.copy(reinterpret_cast<char*>(&size), sizeof size, taken);
            if (bytes.size() - taken - sizeof size < size) break;
            if (size == 0)
                ++confirmed_;
            else
                handler_(bytes.substr(taken + sizeof size, size));
            taken += sizeof size + size;
        }
        return taken;
    }

    const std::string prefix_;
    Handler handler_;
    std::size_t asked_ = 0;
    std::size_t confirmed_ = 0;
};

class RawBus final : public EpollBus {
  public:
    explicit RawBus(std::string path) : path_(std::move(path)) {}
    std::unique_ptr<Link> connect(Handler handler, std::size_t channel) override {
        return std::make_unique<RawLink>(*this, path_, channel, std::move(handler));
    }

  private:
    const std::string path_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options&) {
    return std::make_unique<RawBus>(address);
}

}  // namespace netcluster::bench
