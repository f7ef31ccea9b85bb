// relay SOCKET: the physical limit of any bus of one process. Copies bytes from publishers to the
// subscribers of the same topic, 256 KiB at a time, and never looks at them. A full subscriber
// blocks it, so nothing is lost.
//
// A client sends lines: `S topic`, any number of them, and then perhaps `P topic`, after which all
// it sends is relayed. Each line is answered with four zero bytes, which is an empty event.
// Publishers of one topic whose events are cut anywhere would garble each other: a topic has one.
#include <algorithm>
#include <iostream>
#include <map>
#include <vector>

#include "unix_socket.hpp"

namespace netcluster::bench {
namespace {

using Subscribers = std::vector<int>;

struct Client {
    Descriptor socket;
    std::string line{};
    const Subscribers* target = nullptr;  // once it publishes
};

class Relay {
  public:
    explicit Relay(const std::string& path) : listener_(unixListen(path)) {
        epoll_.add(listener_.get(), nullptr);
    }

    [[noreturn]] void run() {
        for (;;) {
            epoll_.wait(-1, [this](void* tag) {
                if (!tag) return accept();
                auto* client = static_cast<Client*>(tag);
                if (!serve(*client)) drop(client);
            });
        }
    }

  private:
    void accept() {
        Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket.get() < 0) return;
        const int descriptor = socket.get();
        epoll_.add(descriptor, new Client{std::move(socket)});
    }
    void drop(Client* client) {
        epoll_.remove(client->socket.get());
        for (auto& [topic, subscribers] : topics_) std::erase(subscribers, client->socket.get());
        delete client;
    }
    /// False when the client is gone.
    bool serve(Client& client) {
        if (!client.target) return readLines(client);
        const ssize_t count = read(client.socket.get(), buffer_.data(), buffer_.size());
        if (count <= 0) return count < 0 && errno == EAGAIN;
        const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
        for (const int subscriber : *client.target) writeAll(subscriber, bytes);
        return true;
    }
    bool readLines(Client& client) {
        char character = 0;
        while (!client.target) {
            const ssize_t count = read(client.socket.get(), &character, 1);
            if (count <= 0) return count < 0 && errno == EAGAIN;
            if (character != '\n')
                client.line += character;
            else if (!obey(client))
                return false;
        }
        return true;
    }
    bool obey(Client& client) {
        if (client.line.size() < 3) return false;
        Subscribers& subscribers = topics_[client.line.substr(2)];
        if (client.line[0] == 'P')
            client.target = &subscribers;
        else
            subscribers.push_back(client.socket.get());
        client.line.clear();
        return writeAll(client.socket.get(), std::string_view("\0\0\0\0", 4));
    }

    Descriptor listener_;
    Epoll epoll_;
    std::map<std::string, Subscribers> topics_;
    std::string buffer_ = std::string(std::size_t{256} << 10, '\0');
};

}  // namespace
}  // namespace netcluster::bench

int main(int count, char** words) {
    if (count != 2) {
        std::cerr << "usage: " << words[0] << " SOCKET\n";
        return 2;
    }
    try {
        netcluster::bench::Relay(words[1]).run();
    } catch (const std::exception& error) {
        std::cerr << words[0] << ": " << error.what() << '\n';
        return 1;
    }
}
