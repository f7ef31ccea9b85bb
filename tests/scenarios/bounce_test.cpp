// docs/examples/bounce, as programs: an HTTP load through the proxy to three servers on two hosts.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <netcluster/agent.hpp>

#include "awaiting_nodes.hpp"
#include "harness.hpp"

using namespace netcluster::scenario;

namespace {

// Hosts with addresses of their own, which they are known by to the other.
constexpr const char* alphaAddress = "127.0.0.1";
constexpr const char* betaAddress = "127.0.0.2";

std::string hostConfig(const std::string& name, const std::string& own, const std::string& other) {
    const std::string port =
        std::to_string(10'000 + (static_cast<unsigned>(getpid()) * 8 + 5) % 20'000);
    return R"({"addr": "", "netinterface": ")" + own + R"(", "port": )" + port +
           R"(, "peers": [")" + other + ":" + port + R"("], "heartbeat": 200, "name": ")" + name +
           R"(", "channels": {"control": {}, "web": {"propagatetonet": true}}})";
}

// A program of the example on a host; the port that it says it listens on.
struct Program {
    std::unique_ptr<Process> process;
    std::uint16_t port = 0;

    Program(const Daemon& host, std::vector<std::string> arguments)
        : process(std::make_unique<Process>(
              std::move(arguments), Spawn{.environment = {{"NETCLUSTER_DIR", host.runDir()}}})) {
        REQUIRE_MESSAGE(process->out.waitFor("\n"), process->err.text());
        const std::string said = process->out.text();
        port = static_cast<std::uint16_t>(std::stoul(said.substr(said.find("port ") + 5)));
    }
};

Program httpd(const Daemon& host, const std::string& address, const std::string& id,
              int milliseconds) {
    return {host,
            {NETCLUSTER_EXAMPLE_HTTPD, "web", id, address + ":0", std::to_string(milliseconds)}};
}

Program bounce(const Daemon& host, const std::string& pick) {
    return {host, {NETCLUSTER_EXAMPLE_BOUNCE, "web", "http", "127.0.0.1:0", pick}};
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// A TCP socket, closed with this object.
struct Socket {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Socket() {
        const timeval patient{60, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patient, sizeof patient);
    }
    explicit Socket(int accepted) : fd(accepted) {}
    ~Socket() { ::close(fd); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
};

// All that is answered to `said`, up to the end of the connection.
std::string ask(std::uint16_t port, const std::string& said) {
    const Socket socket;
    const sockaddr_in address = loopback(port);
    if (::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return "not connected";
    }
    if (::send(socket.fd, said.data(), said.size(), MSG_NOSIGNAL) < 0) return "not sent";
    std::string answer;
    char piece[4096];
    for (;;) {
        const ssize_t count = ::recv(socket.fd, piece, sizeof piece, 0);
        if (count < 0) return "broken off: " + answer;
        if (count == 0) return answer;
        answer.append(piece, static_cast<std::size_t>(count));
    }
}

std::string request(const std::string& method, const std::string& target) {
    return method + " " + target + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
}

// Who answered a GET of `target`; what was wrong, if that is no answer to it.
std::string whoAnswers(std::uint16_t port, const std::string& target) {
    const std::string answer = ask(port, request("GET", target));
    const std::size_t body = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 200 OK\r\n") || body == std::string::npos) return answer;
    const std::size_t blank = answer.find(' ', body);
    if (answer.substr(blank + 1) != target) return answer;
    return answer.substr(body + 4, blank - body - 4);
}

// Several clients that ask one after the other, until each has asked so often.
class Load {
  public:
    Load(std::uint16_t port, int clients, int each) {
        for (int client = 0; client < clients; ++client) {
            threads_.emplace_back([this, port, client, each] {
                for (int n = 0; n < each; ++n) {
                    note(whoAnswers(port, "/" + std::to_string(client) + "-" + std::to_string(n)));
                }
            });
        }
    }
    ~Load() { join(); }
    void join() {
        for (std::thread& thread : threads_) {
            if (thread.joinable()) thread.join();
        }
    }
    int answered() const { return answered_; }
    std::map<std::string, int> byServer() {
        const std::lock_guard lock(mutex_);
        return byServer_;
    }

  private:
    void note(const std::string& server) {
        const std::lock_guard lock(mutex_);
        ++byServer_[server];
        ++answered_;
    }

    std::mutex mutex_;
    std::map<std::string, int> byServer_;
    std::atomic<int> answered_ = 0;
    std::vector<std::thread> threads_;
};

struct TwoHosts {
    Daemon alpha{hostConfig("alpha", alphaAddress, betaAddress)};
    Daemon beta{hostConfig("beta", betaAddress, alphaAddress)};
};

// The proxy's own view cannot be asked; an agent beside it has the same.
void awaitNodes(netcluster::Agent& agent, std::size_t count) {
    netcluster::scenario::awaitNodes([&] { return agent.nodes().size() == count; }, agent);
}

}  // namespace

TEST_CASE("the proxy prefers who has least to do, and no request fails when a server is killed") {
    TwoHosts hosts;
    const Program a = httpd(hosts.alpha, alphaAddress, "a", 2);
    const Program b = httpd(hosts.beta, betaAddress, "b", 2);
    const Program c = httpd(hosts.beta, betaAddress, "c", 60);
    const Program proxy = bounce(hosts.alpha, "leastLoaded");
    netcluster::Agent watcher("web", {.dir = hosts.alpha.runDir()});
    watcher.connect();
    awaitNodes(watcher, 3);
    awaitTrue([&] { return whoAnswers(proxy.port, "/").size() == 1; });  // the proxy knows as well

    constexpr int clients = 8;
    constexpr int each = 400;
    Load load(proxy.port, clients, each);
    awaitTrue([&] { return load.answered() >= clients * each / 3; });
    b.process->signal(SIGKILL);
    const auto atKill = load.byServer();
    load.join();
    const auto all = load.byServer();
    for (const auto& [server, count] : all) {
        CHECK_MESSAGE((server == "a" || server == "b" || server == "c"), server);
    }
    int answered = 0;
    for (const auto& [server, count] : all) answered += count;
    CHECK(answered == clients * each);
    // Before: the slow one has had least. After: what b had, the others have.
    CHECK(atKill.at("c") < atKill.at("a"));
    CHECK(atKill.at("c") < atKill.at("b"));
    CHECK(all.at("b") <= atKill.at("b") + clients);
    MESSAGE("at the kill: a ", atKill.at("a"), ", b ", atKill.at("b"), ", c ", atKill.at("c"),
            "; in all: a ", all.at("a"), ", b ", all.at("b"), ", c ", all.at("c"));

    awaitNodes(watcher, 2);
    for (int n = 0; n < 50; ++n) {
        const std::string server = whoAnswers(proxy.port, "/after");
        CHECK((server == "a" || server == "c"));
    }
}

TEST_CASE("a server that ends without an answer is passed over, if that may be done") {
    TwoHosts hosts;
    const Program good = httpd(hosts.alpha, alphaAddress, "good", 0);
    const Program proxy = bounce(hosts.alpha, "first");

    // Takes each connection, reads what is said, and closes it.
    const Socket listener;
    sockaddr_in address = loopback(0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);  // and says so
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener.fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener.fd, 16) == 0);
    ::getsockname(listener.fd, reinterpret_cast<sockaddr*>(&address), &size);
    std::atomic<int> taken = 0;
    std::thread bad([&] {
        for (;;) {
            const Socket client(::accept(listener.fd, nullptr, nullptr));
            if (client.fd < 0) return;
            char piece[4096];
            (void)!::read(client.fd, piece, sizeof piece);
            ++taken;
        }
    });
    netcluster::Agent agent("web", {.dir = hosts.alpha.runDir()});
    agent.connect();
    agent.registerNode({.id = "bad",
                        .info = {{"address", "127.0.0.3"}},
                        .services = {{"http", ntohs(address.sin_port)}}});
    awaitNodes(agent, 2);
    awaitTrue([&] { return whoAnswers(proxy.port, "/again") == "good" && taken > 0; });

    awaitTrue([&] {  // for a second after that, it comes last
        const std::string answer = ask(proxy.port, request("POST", "/"));
        return answer.starts_with("HTTP/1.1 502 ");
    });
    agent.unregisterNode("bad");
    ::shutdown(listener.fd, SHUT_RDWR);
    bad.join();

    good.process->signal(SIGKILL);
    awaitNodes(agent, 0);
    CHECK(ask(proxy.port, request("GET", "/")).starts_with("HTTP/1.1 503 "));
}
