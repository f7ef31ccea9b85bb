// Batches in and out of a UdpSocket: each datagram by itself. (Windows can cut and put together
// itself since 2020, UDP_SEND_MSG_SIZE and UDP_RECV_MAX_COALESCED_SIZE; that is not used, for there
// was no system to try it on.)
#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>
#include <cstring>
#include <utility>

#include "group_zone_windows.hpp"
#include "last_error_windows.hpp"
#include "udp_socket.hpp"
#include "waiting_read_windows.hpp"

namespace netcluster::daemon::link {
namespace {

using boost::system::error_code;

Endpoint reachable(const Endpoint& to) {
    if (to.address().is_v4()) return to;
    return {withZoneOfItsScope(to.address().to_v6()), to.port()};
}

}  // namespace

Sent UdpSocket::send(const Batch& batch, const Endpoint& to, std::size_t& sent, error_code& error) {
    error.clear();
    sent = 0;
    const std::string_view datagram = batch.datagram(0);
    WSABUF piece{static_cast<ULONG>(datagram.size()), const_cast<char*>(datagram.data())};
    DWORD count = 0;
    const Endpoint target = reachable(to);
    if (::WSASendTo(socket_.native_handle(), &piece, 1, &count, 0, target.data(),
                    static_cast<int>(target.size()), nullptr, nullptr) == 0) {
        sent = 1;
        return Sent::yes;
    }
    error = lastError();
    switch (error.value()) {
        case WSAEWOULDBLOCK:
        case WSAENOBUFS:
            error.clear();
            return Sent::full;
        case WSAEMSGSIZE:
            return Sent::tooBig;
        default:
            return Sent::failed;
    }
}

struct ReceiveBatch::System {
    struct Slot {
        sockaddr_storage sender{};
        int senderSize = 0;
        std::size_t size = 0;
        bool truncated = false;
    };
    enum class Read { piece, nothing, failed };

    // Not touched before it is needed, so that an idle link has a few pages of it.
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(capacity * slotSize);
    std::array<Slot, capacity> slots;

    void put(std::size_t i, const char* datagram, std::size_t size, const Endpoint& from) {
        Slot& slot = slots[i];
        std::memcpy(bytes.get() + i * slotSize, datagram, size);
        std::memcpy(&slot.sender, from.data(), from.size());
        slot.senderSize = static_cast<int>(from.size());
        slot.size = size;
        slot.truncated = false;
    }

    Read readInto(std::size_t i, SOCKET socket, error_code& error) {
        Slot& slot = slots[i];
        for (;;) {
            WSABUF room{static_cast<ULONG>(slotSize), bytes.get() + i * slotSize};
            DWORD count = 0;
            DWORD flags = 0;
            slot.senderSize = sizeof slot.sender;
            const int result = ::WSARecvFrom(socket, &room, 1, &count, &flags,
                                             reinterpret_cast<sockaddr*>(&slot.sender),
                                             &slot.senderSize, nullptr, nullptr);
            const int why = result == 0 ? 0 : ::WSAGetLastError();
            // That somebody refused one of our datagrams is nothing to stop for.
            if (why == WSAECONNRESET || why == WSAENETRESET) continue;
            if (why == WSAEWOULDBLOCK) return Read::nothing;
            slot.truncated = why == WSAEMSGSIZE;
            if (why != 0 && !slot.truncated) {
                error = lastError();
                return Read::failed;
            }
            slot.size = slot.truncated ? slotSize : count;
            return Read::piece;
        }
    }
};

ReceiveBatch::ReceiveBatch() : system_(std::make_unique<System>()) {}
ReceiveBatch::~ReceiveBatch() = default;

// First what the socket has waited for. What was read before a failure is handed in; the next read
// or wait tells of it again.
std::size_t ReceiveBatch::receive(UdpSocket& socket, error_code& error) {
    error.clear();
    WaitingRead& waited = *socket.waiting_;
    const error_code failure = std::exchange(waited.failure, {});
    std::size_t i = 0;
    if (std::exchange(waited.holdsDatagram, false)) {
        system_->put(i++, waited.bytes.get(), waited.size, waited.from);
    }
    for (; i < capacity; ++i) {
        if (system_->readInto(i, socket.socket_.native_handle(), error) == System::Read::piece) {
            continue;
        }
        if (i == 0 && !error) error = failure;
        if (i > 0) error.clear();
        return i;
    }
    return capacity;
}

std::span<char> ReceiveBatch::piece(std::size_t i) {
    return {system_->bytes.get() + i * slotSize, system_->slots[i].size};
}

std::size_t ReceiveBatch::stride(std::size_t i) const {
    return system_->slots[i].size;
}

bool ReceiveBatch::truncated(std::size_t i) const {
    return system_->slots[i].truncated;
}

Endpoint ReceiveBatch::from(std::size_t i) const {
    Endpoint endpoint;
    const System::Slot& slot = system_->slots[i];
    const auto size = static_cast<std::size_t>(slot.senderSize);
    if (size > endpoint.capacity()) return endpoint;
    std::memcpy(endpoint.data(), &slot.sender, size);
    endpoint.resize(size);
    return endpoint;
}

}  // namespace netcluster::daemon::link
