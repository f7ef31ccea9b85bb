// How a UdpSocket waits on Windows: by a read, which takes the datagram that ends it. (A mere look,
// MSG_PEEK, is not allowed in a read that waits; select would need a thread.) The datagram stays
// here for the next ReceiveBatch. Loop thread only; lives until the socket and its read are gone.
#pragma once

#include <boost/asio/error.hpp>
#include <memory>
#include <utility>

#include "udp_socket.hpp"

namespace netcluster::daemon::link {

struct WaitingRead {
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(ReceiveBatch::slotSize);
    Endpoint from;
    std::size_t size = 0;
    bool holdsDatagram = false;
    bool closed = false;  ///< the socket is; systems differ in how they end a read by that
    /// The wait failed: to be told by the next read that finds nothing, or waiting would spin.
    boost::system::error_code failure;

    bool over() const { return holdsDatagram || failure; }

    void end(const boost::system::error_code& error, std::size_t count) {
        size = count;
        holdsDatagram = !error;
        failure = isRefusal(error) ? boost::system::error_code() : error;
    }

    // That somebody refused one of our datagrams is nothing to stop for.
    static bool isRefusal(const boost::system::error_code& error) {
        namespace failures = boost::asio::error;
        return error == failures::connection_refused || error == failures::connection_reset ||
               error == failures::network_reset;
    }
};

}  // namespace netcluster::daemon::link
