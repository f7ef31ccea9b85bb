#include "fake_daemon.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <utility>

#include "support.hpp"

namespace netcluster::testing {
namespace {

bool readable(int socket) {
    pollfd wait{socket, POLLIN, 0};
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(deadline);
    return ::poll(&wait, 1, static_cast<int>(time.count())) == 1;
}

Said inWords(const wire::FrameView& frame) {
    Said said{frame.type, {}, 0, {}, frame.flags};
    switch (frame.type) {
        case wire::FrameType::subscribe: {
            const auto subscription = wire::readSubscribe(frame).value();
            said.text = "subscribe " + std::string(subscription.pattern);
            said.number = subscription.id;
            return said;
        }
        case wire::FrameType::unsubscribe:
            said.number = wire::readUnsubscribe(frame).value();
            said.text = "unsubscribe";
            return said;
        case wire::FrameType::sync:
            said.number = wire::readSync(frame).value();
            said.text = "sync";
            return said;
        case wire::FrameType::event: {
            const auto event = wire::readEvent(frame).value();
            said.name = event.name;
            said.text = "event " + said.name + " " + std::string(event.payload);
            CHECK(event.channel == "A");
            CHECK((event.flags & ~wire::clientFlags) == 0);
            return said;
        }
        default:
            said.text = "frame of type " + std::to_string(static_cast<int>(frame.type));
            return said;
    }
}

}  // namespace

// -- FakeClient

FakeClient::FakeClient(FakeClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      buffer_(std::move(other.buffer_)),
      greeted_(other.greeted_),
      token_(other.token_),
      hello_(std::move(other.hello_)) {}

bool FakeClient::fill() {
    REQUIRE(readable(socket_));
    char chunk[65536];
    const ssize_t count = ::recv(socket_, chunk, sizeof chunk, 0);
    if (count <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(count));
    return true;
}

Said FakeClient::next() {
    if (!greeted_) {
        greeted_ = true;
        while (buffer_.size() < wire::preface.size()) REQUIRE(fill());
        REQUIRE(buffer_.starts_with(wire::preface));
        buffer_.erase(0, wire::preface.size());
    }
    for (;;) {
        wire::FrameView frame;
        const auto walk = wire::nextFrame(buffer_, std::size_t{64} << 20, frame);
        REQUIRE(walk != wire::Walk::malformed);
        if (walk == wire::Walk::incomplete) {
            REQUIRE(fill());
            continue;
        }
        if (frame.type == wire::FrameType::hello) hello_ = wire::readHello(frame).value();
        Said said = inWords(frame);
        if (frame.type == wire::FrameType::sync) token_ = said.number;
        buffer_.erase(0, frame.whole.size());
        if (said.type != wire::FrameType::hello) return said;
    }
}

std::vector<std::string> FakeClient::untilSync() {
    std::vector<std::string> words;
    for (;;) {
        const Said said = next();
        if (said.type == wire::FrameType::sync) return words;
        words.push_back(said.text);
    }
}

bool FakeClient::ended() {
    while (fill()) {
    }
    wire::FrameView frame;
    return wire::nextFrame(buffer_, std::size_t{64} << 20, frame) == wire::Walk::incomplete;
}

void FakeClient::write(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        REQUIRE(count > 0);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

wire::Welcome FakeClient::defaultWelcome() {
    wire::Welcome welcome;
    welcome.maxEvent = 1 << 20;
    welcome.client = wire::uuidFromText("00112233-4455-6677-8899-aabbccddeeff");
    welcome.channel = "A";
    welcome.host = "testhost";
    return welcome;
}

void FakeClient::welcome(const wire::Welcome& welcome) {
    std::string bytes(wire::preface);
    wire::appendWelcome(bytes, welcome);
    write(bytes);
}

void FakeClient::synced() {
    std::string bytes;
    wire::appendSync(bytes, wire::FrameType::synced, token_);
    write(bytes);
}

std::vector<std::string> FakeClient::greet() {
    auto subscriptions = untilSync();
    welcome();
    synced();
    return subscriptions;
}

void FakeClient::event(std::string_view name, std::string_view data, std::uint8_t flags) const {
    wire::EventView view;
    view.flags = flags;
    view.sender = wire::uuidFromText("ffffffff-0000-1111-2222-333333333333");
    view.name = name;
    view.channel = "A";
    view.payload = data;
    std::string bytes;
    wire::appendEvent(bytes, view);
    write(bytes);
}

void FakeClient::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

// -- FakeDaemon

FakeDaemon::FakeDaemon() {
    std::string name = (std::filesystem::temp_directory_path() / "netcluster-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    listen();
}

FakeDaemon::~FakeDaemon() {
    stopListening();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

Options FakeDaemon::options() const {
    Options options;
    options.dir = directory_;
    return options;
}

void FakeDaemon::listen() {
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = endpoint();
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket_, 16) == 0);
}

void FakeDaemon::stopListening() {
    if (socket_ < 0) return;
    ::close(std::exchange(socket_, -1));
    ::unlink(endpoint().c_str());
}

FakeClient FakeDaemon::accept() const {
    REQUIRE(readable(socket_));
    const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(client >= 0);
    return FakeClient(client);
}

}  // namespace netcluster::testing
