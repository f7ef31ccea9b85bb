#include "attacker.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <netcluster/error.hpp>

#include "little_endian.hpp"
#include "stream.hpp"

namespace netcluster::scenario {
namespace {

constexpr const char* group = "239.255.44.54";
constexpr std::uint16_t port = 4454;
constexpr std::size_t keeps = 50'000;

sockaddr_in endpoint(const std::string& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    return to;
}

template <typename Value>
void set(int socket, int level, int option, const Value& value) {
    if (setsockopt(socket, level, option, &value, sizeof value) == 0) return;
    throw Error(std::string("setsockopt: ") + std::strerror(errno));
}

void fill(std::string& bytes, std::size_t from, std::minstd_rand& random) {
    for (std::size_t n = from; n < bytes.size(); ++n) bytes[n] = static_cast<char>(random() >> 8);
}

}  // namespace

Attacker::Attacker(Lab& lab) : network_(lab.guest("10.77.0.66")) {
    for (std::size_t n = 0; n < lab.size(); ++n) hosts_.push_back(lab[n].address());
    network_->inside([this] { open(); });
    thread_ = std::thread([this] { listen(); });
}

Attacker::~Attacker() {
    stopping_ = true;
    thread_.join();
    close(socket_);
}

void Attacker::open() {
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int index = static_cast<int>(if_nametoindex("eth0"));
    set(socket_, SOL_SOCKET, SO_RCVBUFFORCE, int{16} << 20);
    set(socket_, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    const sockaddr_in address = endpoint(group);
    ip_mreqn membership{};
    membership.imr_multiaddr = address.sin_addr;
    membership.imr_ifindex = index;
    set(socket_, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership);
    set(socket_, IPPROTO_IP, IP_MULTICAST_IF, membership);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw Error(std::string("bind: ") + std::strerror(errno));
    }
}

void Attacker::listen() {
    std::string buffer(65536, '\0');
    while (!stopping_) {
        pollfd waiting{socket_, POLLIN, 0};
        if (poll(&waiting, 1, 20) <= 0) continue;
        const ssize_t count = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count < 0) continue;
        const std::lock_guard lock(mutex_);
        if (captured_.size() < keeps) {
            captured_.push_back(buffer.substr(0, static_cast<std::size_t>(count)));
        }
    }
}

std::vector<std::string> Attacker::captured() const {
    const std::lock_guard lock(mutex_);
    return captured_;
}

std::vector<std::string> Attacker::capture(std::size_t count) const {
    await("datagrams to capture", [&] {
        const std::lock_guard lock(mutex_);
        return captured_.size() >= count;
    });
    return captured();
}

void Attacker::sendTo(const std::string& address, std::string_view datagram) const {
    const sockaddr_in to = endpoint(address);
    sendto(socket_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&to),
           sizeof to);
}

void Attacker::say(const std::vector<std::string>& datagrams) const {
    constexpr std::size_t breath = 32;
    std::size_t said = 0;
    for (const std::string& datagram : datagrams) {
        sendTo(group, datagram);
        for (const std::string& host : hosts_) sendTo(host, datagram);
        if (++said % breath == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void Attacker::flood(const std::vector<std::string>& datagrams, std::uint64_t count) const {
    for (std::uint64_t n = 0; n < count; ++n) sendTo(group, datagrams[n % datagrams.size()]);
}

// -- what it says ------------------------------------------------------------------------------

std::vector<std::string> garbage(std::size_t count, unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<std::string> all;
    for (std::size_t n = 0; n < count; ++n) {
        std::string bytes(random() % 1473, '\0');
        fill(bytes, 0, random);
        if (n % 2 == 0 && bytes.size() >= datagram::size) {
            bytes.replace(0, 2, "NC");
            bytes[datagram::version] = static_cast<char>(1 + random() % 2);
            bytes[datagram::type] = static_cast<char>(random() % 12);
            std::fill_n(bytes.begin() + datagram::keyId, 4, '\0');
            bytes[datagram::keyId] = static_cast<char>(random() % 3);
            std::fill_n(bytes.begin() + datagram::number + 2, 6, '\0');
        }
        all.push_back(std::move(bytes));
    }
    return all;
}

std::vector<std::string> forgedLike(const std::string& real, unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<std::string> all;
    auto number = wire::loadLittle<std::uint64_t>(real.data() + datagram::number);
    for (int type = 0; type < 32; ++type) {
        for (const std::size_t size : {0, 1, 15, 16, 17, 40, 80, 300, 1184, 1440}) {
            for (const bool keyed : {true, false}) {
                std::string bytes = real.substr(0, datagram::size);
                bytes.resize(datagram::size + size);
                bytes[datagram::type] = static_cast<char>(type);
                if (!keyed) std::fill_n(bytes.begin() + datagram::keyId, 2, '\0');
                wire::storeLittle(bytes.data() + datagram::number, ++number);
                fill(bytes, datagram::size, random);
                all.push_back(std::move(bytes));
            }
        }
    }
    return all;
}

std::vector<std::string> flipped(const std::string& real, unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<std::string> all;
    const auto flip = [&](std::size_t bit) {
        std::string bytes = real;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        all.push_back(std::move(bytes));
    };
    for (std::size_t bit = 0; bit < 8 * datagram::size; ++bit) flip(bit);
    for (int n = 0; n < 64 && real.size() > datagram::size; ++n) {
        flip(8 * datagram::size + random() % (8 * (real.size() - datagram::size)));
    }
    // The ends: of the content, and of the tag.
    for (std::size_t bit = 8 * (real.size() - 1); bit < 8 * real.size(); ++bit) flip(bit);
    // And cut off.
    for (std::size_t size = 0; size < real.size(); size += 7) all.push_back(real.substr(0, size));
    return all;
}

}  // namespace netcluster::scenario
