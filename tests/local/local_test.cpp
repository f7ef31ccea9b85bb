// The transport battery: what every local transport must do, whatever the system.
#include <future>
#include <thread>

#include "support.hpp"

namespace netcluster::local {
namespace {

// Sends all of it, waiting for room.
void writeAll(Place& place, Stream& stream, std::string_view text) {
    while (!text.empty()) {
        const IoResult result = writeText(stream, text);
        REQUIRE(result.outcome != Io::closed);
        REQUIRE(result.outcome != Io::failed);
        text.remove_prefix(result.count);
        bool room = false;
        stream.waitWritable([&](const boost::system::error_code& error) { room = !error; });
        place.until([&] { return room; });
    }
}

// Until nothing more is taken. Returns how much was.
std::size_t fill(Stream& stream) {
    const std::string much(std::size_t{1} << 20, 'x');
    std::size_t sent = 0;
    for (IoResult result; (result = writeText(stream, much)).outcome == Io::done;)
        sent += result.count;
    return sent;
}

}  // namespace

TEST_CASE_FIXTURE(Pair, "bytes cross both ways, gathered in order") {
    const std::string_view pieces[] = {"one ", "", "two ", "three"};
    CHECK(client->write(pieces).count == 13);
    char buffer[64];
    const IoResult read = server->read(buffer);
    CHECK(read.outcome == Io::done);
    CHECK(std::string_view(buffer, read.count) == "one two three");
    CHECK(writeText(*server, "back").count == 4);
    CHECK(client->read(buffer).count == 4);
}

TEST_CASE_FIXTURE(Pair, "nothing is written at once") {
    const std::string_view pieces[] = {"", ""};
    CHECK(client->write(pieces).outcome == Io::done);
    CHECK(client->write(pieces).count == 0);
    writeText(*client, "x");
    CHECK(readAll(*server, 1) == "x");
}

TEST_CASE_FIXTURE(Pair, "an idle stream says it would block, and a wait ends when bytes come") {
    char buffer[8];
    CHECK(server->read(buffer).outcome == Io::wouldBlock);
    bool ready = false;
    server->waitReadable([&](const boost::system::error_code& error) { ready = !error; });
    writeText(*client, "x");
    until([&] { return ready; });
    CHECK(server->read(buffer).count == 1);
}

TEST_CASE_FIXTURE(Pair, "a full stream says so, and a wait ends when there is room") {
    const std::string much(1 << 20, 'x');
    std::size_t sent = 0;
    IoResult result;
    const std::string_view piece = much;
    while ((result = client->write({&piece, 1})).outcome == Io::done) sent += result.count;
    CHECK(result.outcome == Io::wouldBlock);
    bool room = false;
    client->waitWritable([&](const boost::system::error_code& error) { room = !error; });
    std::vector<char> buffer(sent);
    std::size_t got = 0;
    until([&] {
        const IoResult read = server->read(buffer);
        got += read.count;
        return room;
    });
    CHECK(got > 0);
    CHECK(client->write({&piece, 1}).outcome == Io::done);
}

TEST_CASE_FIXTURE(Pair, "one sees whether the other end reads") {
    const std::string much(std::size_t{64} << 10, 'x');
    std::size_t sent = 0;
    for (IoResult result; (result = writeText(*client, much)).outcome == Io::done;)
        sent += result.count;
    const std::size_t before = client->unread();
    CHECK(before > 0);
    bool room = false;
    client->waitWritable([&](const boost::system::error_code& error) { room = !error; });
    CHECK(readAll(*server, sent).size() == sent);
    until([&] { return room; });
    CHECK(client->unread() < before);
}

TEST_CASE_FIXTURE(Pair, "a peer that leaves closes the stream at both verbs") {
    char buffer[8];
    client->close();
    bool ready = false;
    server->waitReadable([&](const boost::system::error_code& error) { ready = !error; });
    until([&] { return ready; });
    CHECK(server->read(buffer).outcome == Io::closed);
    until([&] { return writeText(*server, "x").outcome == Io::closed; });
    CHECK(writeText(*server, "x").outcome == Io::closed);
}

TEST_CASE_FIXTURE(Pair, "closing ends a wait") {
    boost::system::error_code ended;
    bool called = false;
    server->waitReadable([&](const boost::system::error_code& error) {
        called = true;
        ended = error;
    });
    server->close();
    until([&] { return called; });
    CHECK(ended == boost::asio::error::operation_aborted);
}

TEST_CASE_FIXTURE(Place, "a live endpoint is an error that names its owner; it goes on living") {
    Acceptor first(io, endpoint(), {});
    CHECK(whyNot([&] { Acceptor(io, endpoint(), {}); }) ==
          endpoint() + ": another process listens here (pid " + std::to_string(getpid()) + ")");
    CHECK(connectTo(io, endpoint()).stream);
}

TEST_CASE_FIXTURE(Pair, "closing ends a wait for room") {
    fill(*server);
    boost::system::error_code ended;
    bool called = false;
    server->waitWritable([&](const boost::system::error_code& error) {
        called = true;
        ended = error;
    });
    server->close();
    CHECK_FALSE(server->isOpen());
    until([&] { return called; });
    CHECK(ended == boost::asio::error::operation_aborted);
    CHECK(writeText(*server, "x").outcome == Io::failed);
}

TEST_CASE_FIXTURE(Pair, "what was taken before closing arrives, and then the end") {
    for (auto [from, to] : {std::pair{&server, &client}, {&client, &server}}) {
        const std::size_t sent = fill(**from);
        (*from)->close();
        CHECK(readAll(**to, sent + 1).size() == sent);
        server.reset();
        client = std::move(connectTo(io, endpoint()).stream);
        REQUIRE(client);
        until([this] { return server.has_value(); });
    }
}

TEST_CASE_FIXTURE(Pair, "what was taken arrives even if the writer's loop ends at once") {
    auto own = std::make_unique<boost::asio::io_context>();
    auto writer = std::move(connectTo(*own, endpoint()).stream);
    REQUIRE(writer);
    server.reset();
    until([this] { return server.has_value(); });
    const std::size_t sent = fill(*writer);
    auto ending = std::async(std::launch::async, [&] {
        writer.reset();
        own.reset();
    });
    // Time to lose something: one that loses nothing either needs none or waits for the reader.
    ending.wait_for(std::chrono::milliseconds(200));
    CHECK(readAll(*server, sent).size() == sent);
    ending.get();
}

TEST_CASE_FIXTURE(Pair, "a huge message crosses whole, both ways") {
    std::string message(std::size_t{8} << 20, '\0');
    for (std::size_t i = 0; i < message.size(); ++i)
        message[i] = static_cast<char>(i * 2654435761U >> 13);
    for (auto [from, to] : {std::pair{&*server, &*client}, {&*client, &*server}}) {
        std::string got;
        std::string chunk(std::size_t{256} << 10, '\0');
        const std::function<void()> wait = [&, to = to] {
            to->waitReadable([&, to](const boost::system::error_code& error) {
                if (error) return;
                got.append(chunk, 0, to->read(chunk).count);
                if (got.size() < message.size()) wait();
            });
        };
        wait();
        writeAll(*this, *from, message);
        until([&] { return got.size() >= message.size(); });
        CHECK((got == message));
    }
}

TEST_CASE_FIXTURE(Pair, "one thread writes while another reads") {
    constexpr std::size_t size = std::size_t{4} << 20;
    // The far end sends back what it gets, in a loop of its own.
    std::thread writer([&] {
        const std::string chunk(1000, 'w');
        for (std::size_t sent = 0; sent < size;) {
            const IoResult result =
                writeText(*client, std::string_view(chunk).substr(0, size - sent));
            sent += result.count;
            if (result.outcome == Io::wouldBlock) std::this_thread::yield();
        }
    });
    std::size_t received = 0;
    std::size_t returned = 0;
    std::string back;
    std::string chunk(std::size_t{64} << 10, '\0');
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (returned < size && std::chrono::steady_clock::now() < deadline) {
        io.restart();
        io.poll();  // ends the writes
        const IoResult got = server->read(chunk);
        received += got.count;
        back.append(chunk, 0, got.count);
        if (!back.empty()) back.erase(0, writeText(*server, back).count);
        returned += client->read(chunk).count;
    }
    writer.join();
    CHECK(received == size);
    CHECK(returned == size);
}

TEST_CASE_FIXTURE(Place, "many clients at once are all let in, each on its own") {
    constexpr std::size_t many = 60;
    std::vector<Stream> inside;
    Acceptor acceptor(io, endpoint(), {});
    acceptor.start([&](Stream stream) { inside.push_back(std::move(stream)); },
                   [](const std::string& trouble) { FAIL(trouble); });
    std::vector<Stream> clients;
    // A burst of eight, before the loop turns.
    while (clients.size() < many) {
        for (int n = 0; n < 8 && clients.size() < many; ++n) {
            Connected connected = connectTo(io, endpoint());
            REQUIRE_MESSAGE(connected.stream, connected.error);
            clients.push_back(std::move(*connected.stream));
        }
        until([&] { return inside.size() == clients.size(); });
    }
    for (std::size_t i = 0; i < many; ++i)
        writeText(clients[i], "client " + std::to_string(i) + ".");
    for (Stream& stream : inside) {
        std::string name;
        while (!name.ends_with('.')) name += readAll(stream, 1);
        writeText(stream, "hello " + name);
    }
    for (std::size_t i = 0; i < many; ++i) {
        const std::string expected = "hello client " + std::to_string(i) + ".";
        CHECK(readAll(clients[i], expected.size()) == expected);
    }
}

TEST_CASE_FIXTURE(Place, "a client that came and went before it was looked at is still heard") {
    Acceptor acceptor(io, endpoint(), {});
    {
        auto client = std::move(connectTo(io, endpoint()).stream);
        REQUIRE(client);
        CHECK(writeText(*client, "I was here").count == 10);
    }
    std::optional<Stream> server;
    acceptor.start([&](Stream stream) { server.emplace(std::move(stream)); },
                   [](const std::string&) {});
    until([&] { return server.has_value(); });
    CHECK(readAll(*server, 11) == "I was here");
}

TEST_CASE_FIXTURE(Pair, "an endpoint that is closed lets nobody in, and can be opened again") {
    acceptor.stop();
    const Connected refused = connectTo(io, endpoint());
    CHECK_FALSE(refused.stream);
    CHECK(refused.error.starts_with(endpoint() + ": "));

    // While a connection of before still lives.
    Acceptor again(io, endpoint(), {});
    std::optional<Stream> second;
    again.start([&](Stream stream) { second.emplace(std::move(stream)); },
                [](const std::string&) {});
    auto late = std::move(connectTo(io, endpoint()).stream);
    REQUIRE(late);
    until([&] { return second.has_value(); });
    writeText(*late, "new");
    CHECK(readAll(*second, 3) == "new");
    writeText(*client, "old");
    CHECK(readAll(*server, 3) == "old");
}

TEST_CASE_FIXTURE(Place, "a loop that ends while everything waits ends everything") {
    auto own = std::make_unique<boost::asio::io_context>();
    int called = 0;
    auto acceptor = std::make_unique<Acceptor>(*own, endpoint(), Acceptor::Rights{});
    acceptor->start([](Stream) {}, [](const std::string&) {});
    auto client = std::make_shared<Stream>(std::move(*connectTo(*own, endpoint()).stream));
    // As a session does, the wait itself keeps the stream alive.
    client->waitReadable([&called, client](const boost::system::error_code&) { ++called; });
    client.reset();
    acceptor.reset();
    own.reset();
    CHECK(called == 0);
    CHECK(whyNot([&] { Acceptor(io, endpoint(), {}); }) == "");
}

TEST_CASE_FIXTURE(Place, "too long a name is refused at both ends") {
    const std::string tooLong = endpoint(std::string(300, 'x'));
    CHECK_FALSE(connectTo(io, tooLong).stream);
    CHECK(whyNot([&] { Acceptor(io, tooLong, {}); }).find("longer than the ") != std::string::npos);
}

TEST_CASE("channels have names that fit into any endpoint") {
    CHECK(validChannel("A-b_c.9"));
    for (const char* wrong : {"", ".a", "a/b", "a b", "\xC3\xA9"}) CHECK_FALSE(validChannel(wrong));
    CHECK_FALSE(validChannel(std::string(65, 'a')));
}

}  // namespace netcluster::local
