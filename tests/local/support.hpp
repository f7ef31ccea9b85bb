// What the transport's tests share: a place for endpoints, and a connected pair.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <netcluster/error.hpp>
#include <optional>
#include <string>

#include "acceptor.hpp"
#include "endpoint.hpp"
#include "stream.hpp"
#include "temporary_directory.hpp"

namespace netcluster::local {

struct Place {
    boost::asio::io_context io;
    testing::TemporaryDirectory dir;

    std::string endpoint(const std::string& channel = "A") const {
        return endpointPath(dir.name(), channel);
    }

    // Runs the loop until `done`, at most 10 s.
    void until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!done()) {
            REQUIRE(std::chrono::steady_clock::now() < deadline);
            io.restart();
            io.run_one_for(std::chrono::milliseconds(100));
        }
    }

    // Reads `size` bytes, waiting for them.
    std::string readAll(Stream& stream, std::size_t size);
};

// An acceptor, one client connected to it, and both ends.
struct Pair : Place {
    Acceptor acceptor{io, endpoint(), {}};
    std::optional<Stream> server;
    std::optional<Stream> client;
    Pair() {
        acceptor.start([this](Stream stream) { server.emplace(std::move(stream)); },
                       [](const std::string&) {});
        client = std::move(connectTo(io, endpoint()).stream);
        REQUIRE(client);
        until([this] { return server.has_value(); });
    }
};

inline std::string whyNot(const std::function<void()>& attempt) {
    try {
        attempt();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

inline IoResult writeText(Stream& stream, std::string_view text) {
    return stream.write({&text, 1});
}

inline std::string Place::readAll(Stream& stream, std::size_t size) {
    std::string all;
    std::string chunk(std::size_t{64} << 10, '\0');
    while (all.size() < size) {
        bool ready = false;
        stream.waitReadable([&](const boost::system::error_code& error) { ready = !error; });
        until([&] { return ready; });
        const IoResult read = stream.read(chunk);
        if (read.outcome == Io::closed || read.outcome == Io::failed) break;
        all.append(chunk, 0, read.count);
    }
    return all;
}

}  // namespace netcluster::local
