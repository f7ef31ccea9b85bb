// A small HTTP server that says of itself that it is one: a node with a service "http", and with
// how much it has to do. example_bounce finds it by that.
//
//     example_httpd CHANNEL ID ADDRESS:PORT [MILLISECONDS]
//
// Answers each request with its id and the request's target, after MILLISECONDS (default 0).
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <iostream>
#include <netcluster/agent.hpp>

#include "address.hpp"

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

struct Site {
    netcluster::Agent& agent;
    std::string id;
    std::chrono::milliseconds pause;
    std::uint64_t requests = 0;
    std::uint64_t busy = 0;

    void tell() const { agent.reportStats({{"requests", requests}, {"busy", busy}}); }
};

// How much of a body follows the head. A request of another kind than this server's has none.
std::size_t bodyOf(const std::string& head) {
    const auto at = head.find("\r\nContent-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 18));
}

asio::awaitable<void> answer(tcp::socket client, Site& site) {
    std::string said;
    const std::size_t head = co_await asio::async_read_until(
        client, asio::dynamic_buffer(said, 64 << 10), "\r\n\r\n", use_awaitable);
    const std::size_t whole = head + bodyOf(said.substr(0, head));
    if (whole > said.size()) {
        co_await asio::async_read(client, asio::dynamic_buffer(said),
                                  asio::transfer_exactly(whole - said.size()), use_awaitable);
    }
    asio::steady_timer pause(client.get_executor(), site.pause);
    co_await pause.async_wait(use_awaitable);

    const std::size_t target = said.find(' ') + 1;
    const std::string body = site.id + " " + said.substr(target, said.find(' ', target) - target);
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    co_await asio::async_write(client, asio::buffer(text), use_awaitable);
    client.shutdown(tcp::socket::shutdown_both);
}

asio::awaitable<void> serve(tcp::socket client, Site& site) {
    ++site.requests;
    ++site.busy;
    site.tell();
    try {
        co_await answer(std::move(client), site);
    } catch (const std::exception&) {
        // The client went, or said something else than HTTP.
    }
    --site.busy;
    site.tell();
}

asio::awaitable<void> listen(tcp::acceptor& acceptor, Site& site) {
    for (;;) {
        tcp::socket client = co_await acceptor.async_accept(use_awaitable);
        asio::co_spawn(acceptor.get_executor(), serve(std::move(client), site), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) try {
    const int pause = argc > 4 ? numberFrom<int>(argv[4]).value_or(-1) : 0;
    if (argc < 4 || argc > 5 || pause < 0) {
        std::cerr << "usage: example_httpd CHANNEL ID ADDRESS:PORT [MILLISECONDS]\n";
        return 2;
    }
    asio::io_context io(1);
    tcp::acceptor acceptor(io, endpointFrom(argv[3]));
    const auto port = acceptor.local_endpoint().port();

    netcluster::Agent agent(argv[1]);
    Site site{agent, argv[2], std::chrono::milliseconds(pause)};
    agent.connect();
    agent.registerNode({.id = site.id, .regions = {"web"}, .services = {{"http", port}}});
    std::cout << site.id << " serves port " << port << std::endl;
    asio::co_spawn(io, listen(acceptor, site), [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
} catch (const std::invalid_argument& error) {  // of the command line
    std::cerr << error.what() << '\n';
    return 2;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
