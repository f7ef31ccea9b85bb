// A bounce proxy: gives each TCP connection to the best node that offers a service, and another one
// if that does not answer.
//
//     example_bounce CHANNEL SERVICE ADDRESS:PORT [PICK]
//
// PICK is first, last, random, roundRobin, leastLoaded (default), leastMemory or sticky (by the
// client's address). Try it: three times example_httpd, and `curl localhost:PORT`.
//
// A node that cannot be reached, or ends the connection before the first byte of an answer, is
// passed over: what the client has said so far is said to the next one. That is done only with what
// may safely be said twice: nothing at all, or an HTTP request whose method promises so (RFC 9110,
// 9.2.2).
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <iostream>

#include "address.hpp"
#include "backends.hpp"

namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using asio::ip::tcp;
using boost::system::error_code;
using netcluster::Pick;

/// Reason: a node of a LAN answers in milliseconds, and the client waits.
constexpr std::chrono::seconds connectTime{2};
/// Nothing said in either direction. Reason: what is forgotten open must end some time.
constexpr std::chrono::minutes idleTime{5};
/// Of what the client says before it is answered, to be said again. Reason: a request without a
/// file in it.
constexpr std::size_t mostRepeated = 64 << 10;
/// Reason: each needs two descriptors, and a process has 1024 of them if nobody asks for more.
constexpr int mostConnections = 400;

auto into(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

bool maySayAgain(const std::string& said) {
    if (said.empty()) return true;
    for (const char* method : {"GET ", "HEAD ", "OPTIONS ", "TRACE ", "PUT ", "DELETE "}) {
        if (said.starts_with(method)) return true;
    }
    return false;
}

class Connection {
  public:
    Connection(tcp::socket client, Backends& backends)
        : client_(std::move(client)),
          server_(client_.get_executor()),
          timer_(client_.get_executor()),
          backends_(backends) {}

    asio::awaitable<void> run() {
        error_code ignored;
        const std::string who = client_.remote_endpoint(ignored).address().to_string();
        std::set<std::string> tried;
        while (const auto backend = backends_.best(tried, who)) {
            tried.insert(backend->id);
            backends_.begin(backend->id);
            const bool connected = co_await connect(*backend);
            if (connected) co_await talk();
            backends_.end(backend->id);
            server_.close(ignored);
            if (answered_ || clientGone_) co_return;
            backends_.failed(backend->id);
            if (connected && (forgotten_ || !maySayAgain(said_))) {
                co_return co_await refuse("502 Bad Gateway", backend->id + " did not answer");
            }
        }
        co_await refuse("503 Service Unavailable", "nobody offers the service");
    }

  private:
    asio::awaitable<bool> connect(const Backends::Backend& backend) {
        error_code error;
        const auto address = asio::ip::make_address(backend.address, error);
        if (error) co_return false;
        error_code timeout;
        timer_.expires_after(connectTime);
        const auto first = co_await (server_.async_connect({address, backend.port}, into(error)) ||
                                     timer_.async_wait(into(timeout)));
        co_return first.index() == 0 && !error;
    }

    // Until the node has said all, or the client is gone.
    asio::awaitable<void> talk() {
        moved_ = std::chrono::steady_clock::now();
        co_await (fromClient() || fromServer() || idle());
    }

    // What the client has said to the node before is said first. The end of the node is for the
    // other direction to see; that the client has no more to say ends nothing.
    asio::awaitable<void> fromClient() {
        error_code error;
        co_await asio::async_write(server_, asio::buffer(said_), into(error));
        std::array<char, 16 << 10> piece;
        while (!error && !clientDone_) {
            const std::size_t size =
                co_await client_.async_read_some(asio::buffer(piece), into(error));
            moved_ = std::chrono::steady_clock::now();
            if (error == asio::error::eof) {
                clientDone_ = true;
                error = {};
            } else if (error) {
                clientGone_ = error != asio::error::operation_aborted;
                co_return;
            }
            keep({piece.data(), size});
            co_await asio::async_write(server_, asio::buffer(piece, size), into(error));
        }
        if (clientDone_) server_.shutdown(tcp::socket::shutdown_send, error);
        timer_.expires_at(asio::steady_timer::time_point::max());
        co_await timer_.async_wait(into(error));
    }

    void keep(std::string_view piece) {
        if (answered_ || forgotten_) return;
        forgotten_ = said_.size() + piece.size() > mostRepeated;
        said_ += piece;
        if (forgotten_) said_.clear();
    }

    asio::awaitable<void> fromServer() {
        std::array<char, 16 << 10> piece;
        error_code error;
        for (;;) {
            const std::size_t size =
                co_await server_.async_read_some(asio::buffer(piece), into(error));
            if (error) break;
            moved_ = std::chrono::steady_clock::now();
            answered_ = true;
            co_await asio::async_write(client_, asio::buffer(piece, size), into(error));
            if (error) {
                clientGone_ = true;
                co_return;
            }
        }
        if (answered_) client_.shutdown(tcp::socket::shutdown_send, error);
    }

    asio::awaitable<void> idle() {
        asio::steady_timer timer(client_.get_executor());
        error_code error;
        while (!error && std::chrono::steady_clock::now() < moved_ + idleTime) {
            timer.expires_at(moved_ + idleTime);
            co_await timer.async_wait(into(error));
        }
        clientGone_ = !error;
    }

    asio::awaitable<void> refuse(std::string_view status, const std::string& why) {
        const std::string text =
            "HTTP/1.1 " + std::string(status) +
            "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(why.size()) +
            "\r\nConnection: close\r\n\r\n" + why;
        error_code error;
        co_await asio::async_write(client_, asio::buffer(text), into(error));
        client_.shutdown(tcp::socket::shutdown_send, error);
        // What it has said unread would take the answer along when we close.
        timer_.expires_after(std::chrono::seconds(1));
        co_await (readOut() || timer_.async_wait(into(error)));
    }

    asio::awaitable<void> readOut() {
        std::array<char, 16 << 10> piece;
        for (error_code error; !error;) {
            co_await client_.async_read_some(asio::buffer(piece), into(error));
        }
    }

    tcp::socket client_;
    tcp::socket server_;
    asio::steady_timer timer_;
    Backends& backends_;
    std::chrono::steady_clock::time_point moved_;
    std::string said_;        ///< by the client, before it was answered
    bool forgotten_ = false;  ///< it was too much to be kept
    bool answered_ = false;
    bool clientDone_ = false;
    bool clientGone_ = false;
};

asio::awaitable<void> serve(tcp::socket client, Backends& backends, int& connections) {
    ++connections;
    try {
        Connection connection(std::move(client), backends);
        co_await connection.run();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
    }
    --connections;
}

asio::awaitable<void> listen(tcp::acceptor& acceptor, Backends& backends) {
    int connections = 0;
    asio::steady_timer pause(acceptor.get_executor());
    for (error_code error;;) {
        while (error || connections >= mostConnections) {  // clients wait in the system's queue
            pause.expires_after(std::chrono::milliseconds(10));
            co_await pause.async_wait(into(error));
        }
        tcp::socket client = co_await acceptor.async_accept(into(error));
        if (error) continue;
        asio::co_spawn(acceptor.get_executor(), serve(std::move(client), backends, connections),
                       asio::detached);
    }
}

Pick pickNamed(const std::string& name) {
    const std::map<std::string, Pick> picks{{"first", Pick::first},
                                            {"last", Pick::last},
                                            {"random", Pick::random},
                                            {"roundRobin", Pick::roundRobin},
                                            {"leastLoaded", Pick::leastLoaded},
                                            {"leastMemory", Pick::leastMemory},
                                            {"sticky", Pick::sticky}};
    const auto found = picks.find(name);
    if (found == picks.end()) throw std::invalid_argument("there is no way to pick named " + name);
    return found->second;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 4 || argc > 5) {
        std::cerr << "usage: example_bounce CHANNEL SERVICE ADDRESS:PORT [PICK]\n";
        return 2;
    }
    netcluster::Agent agent(argv[1]);
    Backends backends(agent, argv[2], pickNamed(argc > 4 ? argv[4] : "leastLoaded"));
    asio::io_context io(1);
    tcp::acceptor acceptor(io, endpointFrom(argv[3]));
    agent.connect();
    std::cout << "bounces on port " << acceptor.local_endpoint().port() << std::endl;
    asio::co_spawn(io, listen(acceptor, backends), asio::detached);
    io.run();
} catch (const std::invalid_argument& error) {  // of the command line
    std::cerr << error.what() << '\n';
    return 2;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
