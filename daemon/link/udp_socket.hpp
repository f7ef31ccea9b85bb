// One UDP socket of the link and what is done with it: open for a group on one interface or for
// unicast, send and receive in batches without ever blocking. What is the system's stands in whole
// files behind this header: udp_linux.cpp and udp_batches_linux.cpp, the same for Windows. Loop
// thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "remote.hpp"

namespace netcluster::daemon::link {

/// Asked for; the system may give less (the log says at debug level what it gave). Reason: the
/// largest default event; what the system took from us it does not lose before the wire.
inline constexpr int sendBuffer = 4 << 20;
/// Reason: 7,000 full datagrams as Linux charges them, twice what one sender may have under way to
/// us. Beyond net.core.rmem_max it needs CAP_NET_ADMIN;
/// without it the system's limit is what we get.
inline constexpr int receiveBuffer = 8 << 20;

/// How many datagrams go through the system at once. What is best is found out by trying: a system
/// or an interface that refuses one way is not asked for it again.
enum class Batching {
    single,    ///< each by itself
    many,      ///< one call for many (sendmmsg)
    segments,  ///< one piece of memory, cut by the system or the network card (UDP_SEGMENT,
               ///< UDP_GRO)
};
constexpr std::string_view batchingName(Batching batching) {
    switch (batching) {
        case Batching::single:
            return "single";
        case Batching::many:
            return "many";
        case Batching::segments:
            return "segments";
    }
    return "unknown";
}

/// Datagrams in a batch at most. Reason: 59 KB, what one IP packet may claim to be before it is
/// cut; and no more than the 64 segments that Linux allows.
inline constexpr std::size_t batchDatagrams = 48;

/// Datagrams one behind the other in memory, all of `stride` bytes but for the last, which may be
/// shorter.
struct Batch {
    std::string_view bytes;
    std::size_t stride = 0;

    explicit Batch(std::string_view datagram) : bytes(datagram), stride(datagram.size()) {}
    Batch(std::string_view all, std::size_t each) : bytes(all), stride(each) {}
    std::size_t count() const { return stride == 0 ? 0 : (bytes.size() + stride - 1) / stride; }
    std::string_view datagram(std::size_t i) const { return bytes.substr(i * stride, stride); }
    /// Without the first `done`.
    Batch rest(std::size_t done) const { return {bytes.substr(done * stride), stride}; }
};

enum class Sent {
    yes,
    full,    ///< the system's buffer is full: try the same datagram again later
    tooBig,  ///< larger than the path's MTU; it will never pass this way
    failed,  ///< the error code says why
};

struct WaitingRead;  // the system's

class UdpSocket {
  public:
    /// `most`: the best way of batching that may be tried.
    explicit UdpSocket(boost::asio::io_context& io, Batching most = Batching::segments)
        : socket_(io), batching_(most) {}

    /// Opens for sending to and receiving from `group` on one interface. Several sockets of this
    /// and other processes may do so for one group and port. Hears nothing but that group. Throws
    /// boost::system::system_error naming the step that failed.
    void openGroup(const Endpoint& group, unsigned interfaceIndex, int ttl);

    /// Opens for unicast on one address of this host, or on every one of its family (`at` is
    /// unspecified). Throws system_error, address_in_use when another socket already gets the
    /// unicast datagrams of this port (on Windows: another ncserver's or our own; it does not tell
    /// of other programs that share the port).
    void openUnicast(const Endpoint& at);

    void close();
    bool isOpen() const { return socket_.is_open(); }

    /// Sends the first datagrams of the batch, and says how many they were. `yes`: at least one;
    /// anything else is about the first one.
    Sent send(const Batch& batch, const Endpoint& to, std::size_t& sent,
              boost::system::error_code& error);

    /// Datagrams of this session are not received where the system can keep them away (Linux): they
    /// are our own, looped back, and would take half of the buffer. Elsewhere they come like
    /// others.
    void ignoreSession(const wire::Uuid& session);

    /// The system does keep them away.
    bool ignoresOwn() const { return ignoresOwn_; }

    /// Calls once when there is something to read, or with an error when closed.
    void awaitReadable(std::function<void(const boost::system::error_code&)> then);

    /// Bytes of receive buffer that the system granted, counted as Linux does, which is twice what
    /// one asks for; 0 if unknown.
    std::uint64_t grantedBuffer() const { return granted_; }
    /// The same of the send buffer.
    std::uint64_t grantedSendBuffer() const { return grantedToSend_; }
    Batching batching() const { return batching_; }

    /// Datagrams that the system dropped because the receive buffer was full, since opening; 0
    /// where it does not say.
    std::uint32_t overflowed() const { return overflowed_; }

  private:
    friend class ReceiveBatch;

    void create(bool ipv6);
    void setBuffers();
    void noteDrops(std::uint32_t drops);

    boost::asio::ip::udp::socket socket_;
    Batching batching_;
    bool ignoresOwn_ = false;
    std::uint32_t overflowed_ = 0;
    std::uint32_t drops_ = 0;      ///< as the system counts them, our own echoes among them
    std::uint32_t echoesDue_ = 0;  ///< sent to the group, and not yet among the drops
    std::uint64_t granted_ = 0;
    std::uint64_t grantedToSend_ = 0;
    std::shared_ptr<WaitingRead> waiting_;  ///< of systems that can only wait by reading
    std::shared_ptr<void> claim_;           ///< what else of the system's it holds while it is open
};

/// Room for the datagrams of one read. One per link: what it holds is used up before the next read.
class ReceiveBatch {
  public:
    /// Pieces per read, each a datagram or several that the system has put together. Reason: up to
    /// 1 MiB, 10 ms at 1 Gbit/s; the loop then looks at everybody else before it reads on.
    static constexpr std::size_t capacity = 16;
    /// Largest piece. Reason: the largest that IP allows.
    static constexpr std::size_t slotSize = 65536;

    ReceiveBatch();
    ~ReceiveBatch();

    /// How many pieces were read: 0 when there is nothing, or when `error` is set.
    std::size_t receive(UdpSocket& socket, boost::system::error_code& error);

    /// The bytes of one piece, which are the caller's to change.
    std::span<char> piece(std::size_t i);
    /// Bytes of each datagram in it, but for the last.
    std::size_t stride(std::size_t i) const;
    bool truncated(std::size_t i) const;
    Endpoint from(std::size_t i) const;

  private:
    struct System;
    std::unique_ptr<System> system_;
};

}  // namespace netcluster::daemon::link
