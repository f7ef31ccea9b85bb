// One UDP socket of the link and what is done with it: open for a group on one interface or for
// unicast, send without ever blocking, receive in batches. The whole system half of the link's
// sockets is one file per system behind this header (udp_linux.cpp). Loop thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "remote.hpp"

namespace netcluster::daemon::link {

/// Asked for; the system may give less (the log says at debug level what it gave). Reason: the
/// largest default event; what the system took from us it does not lose before the wire.
inline constexpr int sendBuffer = 4 << 20;
/// Reason: 7,000 full datagrams as Linux charges them, or 0.2 s of one sender at full rate while
/// this daemon is busy with something else. Beyond net.core.rmem_max it needs CAP_NET_ADMIN;
/// without it the system's limit is what we get.
inline constexpr int receiveBuffer = 8 << 20;

enum class Sent {
    yes,
    full,    ///< the system's buffer is full: try the same datagram again later
    tooBig,  ///< larger than the path's MTU; it will never pass this way
    failed,  ///< the error code says why
};

class UdpSocket {
  public:
    explicit UdpSocket(boost::asio::io_context& io) : socket_(io) {}

    /// Opens for sending to and receiving from `group` on one interface. Several sockets of this
    /// and other processes may do so for one group and port. Hears nothing but that group. Throws
    /// boost::system::system_error naming the step that failed.
    void openGroup(const Endpoint& group, unsigned interfaceIndex, int ttl);

    /// Opens for unicast on `port` of every address. Throws system_error, address_in_use when
    /// another socket already gets the unicast datagrams of this port.
    void openUnicast(bool ipv6, std::uint16_t port);

    void close();
    bool isOpen() const { return socket_.is_open(); }

    Sent send(std::string_view datagram, const Endpoint& to, boost::system::error_code& error);

    /// Calls once when there is something to read, or with an error when closed.
    void awaitReadable(std::function<void(const boost::system::error_code&)> then);

    /// Bytes of receive buffer that the system granted, by its own way of counting; 0 if unknown.
    std::uint64_t grantedBuffer() const { return granted_; }

    /// Datagrams that the system dropped because the receive buffer was full, since opening.
    std::uint32_t overflowed() const { return overflowed_; }

  private:
    friend class ReceiveBatch;

    void create(bool ipv6);
    void setBuffers();

    boost::asio::ip::udp::socket socket_;
    std::uint32_t overflowed_ = 0;
    std::uint64_t granted_ = 0;
};

/// Room for the datagrams of one read. One per link: what it holds is used up before the next read.
class ReceiveBatch {
  public:
    /// Datagrams per read. Reason: 80 KB, a good two milliseconds of a sender at full rate; the
    /// loop then looks at everybody else before it reads on.
    static constexpr std::size_t capacity = 64;
    /// Largest datagram taken whole. Reason: this version sends no more than 1,232.
    static constexpr std::size_t slotSize = 2048;

    ReceiveBatch();
    ~ReceiveBatch();

    /// How many were read: 0 when there is nothing, or when `error` is set.
    std::size_t receive(UdpSocket& socket, boost::system::error_code& error);

    std::string_view datagram(std::size_t i) const;
    bool truncated(std::size_t i) const;
    Endpoint from(std::size_t i) const;

  private:
    struct System;
    std::unique_ptr<System> system_;
};

}  // namespace netcluster::daemon::link
