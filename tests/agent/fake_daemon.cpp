#include "fake_daemon.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <utility>

#include "acceptor.hpp"
#include "endpoint.hpp"
#include "support.hpp"
#include "temporary_directory.hpp"

namespace netcluster::testing {
namespace {

// Runs the loop until `done`, or the deadline.
template <typename Done>
void run(boost::asio::io_context& io, Done done) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!done()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        io.restart();
        io.run_one_until(end);
    }
}

Said inWords(const wire::FrameView& frame) {
    Said said{frame.type, {}, 0, {}, {}, frame.flags};
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
            said.id = event.id;
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

FakeClient::FakeClient(boost::asio::io_context& io, local::Stream stream)
    : io_(&io), stream_(std::move(stream)) {}

bool FakeClient::fill() {
    bool ready = false;
    stream_.waitReadable([&](const boost::system::error_code& error) { ready = !error; });
    run(*io_, [&] { return ready; });
    char chunk[65536];
    const local::IoResult result = stream_.read(chunk);
    buffer_.append(chunk, result.count);
    return result.outcome == local::Io::done || result.outcome == local::Io::wouldBlock;
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

void FakeClient::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const local::IoResult result = stream_.write({&bytes, 1});
        REQUIRE(result.outcome != local::Io::closed);
        REQUIRE(result.outcome != local::Io::failed);
        bytes.remove_prefix(result.count);
        if (bytes.empty()) return;
        bool room = false;
        stream_.waitWritable([&](const boost::system::error_code& error) { room = !error; });
        run(*io_, [&] { return room; });
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

void FakeClient::event(std::string_view name, std::string_view data, std::uint8_t flags,
                       std::string_view id) {
    wire::EventView view;
    view.flags = flags;
    view.sender = wire::uuidFromText("ffffffff-0000-1111-2222-333333333333");
    view.name = name;
    view.channel = "A";
    view.id = id;
    view.payload = data;
    std::string bytes;
    wire::appendEvent(bytes, view);
    write(bytes);
}

void FakeClient::close() {
    stream_.close();
}

// -- FakeDaemon

struct FakeDaemon::State {
    TemporaryDirectory directory;
    boost::asio::io_context io;
    std::unique_ptr<local::Acceptor> acceptor;
    std::deque<local::Stream> waiting;
};

FakeDaemon::FakeDaemon() : state_(std::make_unique<State>()) {
    listen();
}

FakeDaemon::~FakeDaemon() = default;

Options FakeDaemon::options() const {
    Options options;
    options.dir = state_->directory.name();
    return options;
}

std::string FakeDaemon::endpoint() const {
    return local::endpointPath(state_->directory.name(), "A");
}

void FakeDaemon::listen() {
    state_->acceptor =
        std::make_unique<local::Acceptor>(state_->io, endpoint(), local::Acceptor::Rights{});
    state_->acceptor->start(
        [state = state_.get()](local::Stream stream) {
            state->waiting.push_back(std::move(stream));
        },
        [](const std::string& trouble) { FAIL(trouble); });
}

void FakeDaemon::stopListening() {
    state_->acceptor.reset();
    state_->waiting.clear();
}

FakeClient FakeDaemon::accept() const {
    run(state_->io, [this] { return !state_->waiting.empty(); });
    local::Stream stream = std::move(state_->waiting.front());
    state_->waiting.pop_front();
    return FakeClient(state_->io, std::move(stream));
}

}  // namespace netcluster::testing
