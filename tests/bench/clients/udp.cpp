// UDP multicast with nothing on top: the limit of any link. ADDRESS is GROUP:PORT. Messages have
// one size and lie back to back in datagrams. What is lost stays lost.
//
//     datagram=1200   bytes of messages in a datagram; 0: one message in each
//     batch=64        datagrams for one sendmmsg; 1: a send for each
//     gso=1           segments that the kernel cuts of one buffer (UDP_SEGMENT), and glues together
//                     again for the receiver (UDP_GRO)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <vector>

#include "epoll_bus.hpp"

namespace netcluster::bench {
namespace {

void set(int socket, int level, int option, int value) {
    if (setsockopt(socket, level, option, &value, sizeof value) < 0) fail("setsockopt");
}

sockaddr_in parsed(const std::string& address) {
    const auto colon = address.rfind(':');
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &made.sin_addr) != 1) {
        throw std::runtime_error("not GROUP:PORT: " + address);
    }
    return made;
}

/// Messages for one system call, or those that came by one: `count` pieces of `room` bytes.
class Batch {
  public:
    Batch(std::size_t count, std::size_t room)
        : room_(room), bytes_(count * room, '\0'), pieces_(count), headers_(count) {
        for (std::size_t i = 0; i < count; ++i) {
            pieces_[i] = {bytes_.data() + i * room, room};
            headers_[i].msg_hdr.msg_iov = &pieces_[i];
            headers_[i].msg_hdr.msg_iovlen = 1;
        }
    }
    void append(std::string_view message) {
        message.copy(bytes_.data() + filled_, message.size());
        filled_ += message.size();
    }
    bool full() const { return filled_ == bytes_.size(); }

    void send(int socket) {
        if (filled_ == 0) return;
        const std::size_t count = (filled_ + room_ - 1) / room_;
        pieces_[count - 1].iov_len = filled_ - (count - 1) * room_;
        for (std::size_t done = 0; done < count;) {
            const int sent =
                sendmmsg(socket, headers_.data() + done, static_cast<unsigned>(count - done), 0);
            if (sent < 0 && errno != EINTR && errno != ENOBUFS) fail("sendmmsg");
            if (sent > 0) done += static_cast<std::size_t>(sent);
        }
        pieces_[count - 1].iov_len = room_;
        filled_ = 0;
    }
    /// False when there may be more. Calls `take` with what each datagram, or each row of
    /// datagrams, brought.
    template <typename Take>
    bool receive(int socket, Take take) {
        const int count = recvmmsg(socket, headers_.data(), static_cast<unsigned>(headers_.size()),
                                   MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            take(std::string_view(bytes_.data() + at * room_, headers_[at].msg_len));
        }
        return count < static_cast<int>(headers_.size());
    }

  private:
    const std::size_t room_;
    std::string bytes_;
    std::size_t filled_ = 0;
    std::vector<iovec> pieces_;
    std::vector<mmsghdr> headers_;
};

class UdpLink final : public ReadableLink {
  public:
    UdpLink(EpollBus& bus, const std::string& address, const Options& options, Handler handler)
        : bus_(bus),
          address_(parsed(address)),
          size_(options.number("size", 100)),
          segments_(options.number("gso", 1)),
          datagram_(std::max(options.number("datagram", 1200) / size_, std::size_t{1}) * size_),
          batch_(options.number("batch", 64)),
          handler_(std::move(handler)),
          socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (socket_.get() < 0) fail("socket");
    }

    void subscribe(const std::string&) override {
        const int socket = socket_.get();
        set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
        set(socket, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
        if (segments_ > 1) set(socket, IPPROTO_UDP, UDP_GRO, 1);
        if (bind(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) < 0) {
            fail("bind");
        }
        const ip_mreq membership{address_.sin_addr, {}};
        if (setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) < 0) {
            fail("join");
        }
        incoming_ = std::make_unique<Batch>(64, segments_ > 1 ? 65536 : 2048);
        bus_.serve(socket, *this);
    }
    void announce(const std::string&) override {
        const int socket = socket_.get();
        set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
        if (segments_ > 1) set(socket, IPPROTO_UDP, UDP_SEGMENT, static_cast<int>(datagram_));
        if (connect(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) < 0) {
            fail("connect");
        }
        outgoing_ = std::make_unique<Batch>(batch_, datagram_ * segments_);
    }
    void settle() override {}
    void publish(std::string_view payload) override {
        outgoing_->append(payload);
        if (outgoing_->full()) flush();
    }
    void flush() override { outgoing_->send(socket_.get()); }

    void readable() override {
        const auto take = [this](std::string_view messages) {
            for (; messages.size() >= size_; messages.remove_prefix(size_)) {
                handler_(messages.substr(0, size_));
            }
        };
        // Now and then the loop wants to look at something else.
        for (int i = 0; i < 16 && !incoming_->receive(socket_.get(), take); ++i) {
        }
    }

  private:
    EpollBus& bus_;
    const sockaddr_in address_;
    const std::size_t size_;
    const std::size_t segments_;
    const std::size_t datagram_;
    const std::size_t batch_;
    Handler handler_;
    Descriptor socket_;
    std::unique_ptr<Batch> incoming_;
    std::unique_ptr<Batch> outgoing_;
};

class UdpBus final : public EpollBus {
  public:
    UdpBus(std::string address, Options options)
        : address_(std::move(address)), options_(std::move(options)) {}
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        return std::make_unique<UdpLink>(*this, address_, options_, std::move(handler));
    }

  private:
    const std::string address_;
    const Options options_;
};

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options& options) {
    return std::make_unique<UdpBus>(address, options);
}

}  // namespace netcluster::bench
