// Writes the seeds of the fuzzers: `fuzz_corpus DIR` fills DIR/datagram and DIR/reassembly with
// valid datagrams of every kind, and with conversations made of them; DIR/nodes with what is said
// of nodes.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "frame.hpp"
#include "packer.hpp"
#include "script.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using netcluster::fuzz::append;
using netcluster::fuzz::Step;

namespace {

constexpr std::size_t maxEvent = 65536;

wire::Uuid uuidOf(unsigned char filler) {
    wire::Uuid uuid;
    uuid.fill(filler);
    return uuid;
}

wire::EventView event(std::string_view name, std::string_view data, std::uint8_t flags = 0) {
    wire::EventView made;
    made.sender = uuidOf(7);
    made.name = name;
    made.channel = "A";
    made.payload = data;
    made.flags = flags;
    return made;
}

/// A daemon up to the point where its datagrams would leave.
class Host {
  public:
    explicit Host(std::size_t queueRoom) : buffer_(queueRoom, std::size_t{1} << 20) {}

    void add(const wire::EventView& event) { packer_.add(wire::EventRun(event)); }
    std::string begin(Type type) {
        Header header;
        header.type = type;
        header.session = uuidOf(1);
        header.packet = ++packet_;
        std::string datagram;
        appendHeader(datagram, header);
        return datagram;
    }
    /// What was not given out yet.
    std::vector<std::string> out() {
        packer_.close();
        std::vector<std::string> datagrams;
        while (buffer_.waiting() != 0) {
            const std::uint64_t sequence = buffer_.sent() + 1;
            datagrams.push_back(begin(Type::data).append(buffer_.body(sequence)));
            buffer_.markSent(sequence);
        }
        return datagrams;
    }
    std::uint64_t highest() const { return buffer_.highest(); }

  private:
    SendBuffer buffer_;
    Packer packer_{"alpha", maxEvent, buffer_};
    std::uint64_t packet_ = 0;
};

std::string heartbeatOf(Host& host) {
    std::string datagram = host.begin(Type::heartbeat);
    Heartbeat heartbeat;
    heartbeat.highest = host.highest();
    heartbeat.uptime = 1234;
    heartbeat.host = uuidOf(9);
    heartbeat.name = "alpha";
    heartbeat.version = "2.0.0";
    heartbeat.heard = {1, 2};
    heartbeat.channels = {"A", "B"};
    appendHeartbeat(datagram, heartbeat);
    return datagram;
}

/// What only receivers say.
std::vector<std::string> answers(Host& host) {
    std::vector<std::string> all;
    all.push_back(host.begin(Type::nak));
    appendNak(all.back(), uuidOf(1), {{1, 2}, {4, 4}});
    all.push_back(host.begin(Type::status));
    appendStatus(all.back(), {{uuidOf(1), 3, 256}, {uuidOf(2), 1, 64}});
    all.push_back(host.begin(Type::challenge));
    appendChallenge(all.back(), {uuidOf(1), Nonce{1, 2, 3}});
    all.push_back(host.begin(Type::proof));
    appendProof(all.back(), {Nonce{1, 2, 3}, Nonce{4}});
    all.push_back(host.begin(Type::probe));
    appendProbe(all.back(), 17, 100);
    all.push_back(host.begin(Type::echo));
    appendEcho(all.back(), {17, uuidOf(1), 1'700'000'000'000}, 100);
    return all;
}

/// Every kind of datagram, in the order in which a host might send them.
std::vector<std::string> conversation() {
    Host host(std::size_t{64} << 10);
    std::vector<std::string> all{heartbeatOf(host)};
    const auto sendAll = [&] {
        for (std::string& datagram : host.out()) all.push_back(std::move(datagram));
    };
    host.add(event("hello", "1"));
    sendAll();
    wire::EventView addressed = event("addressed", R"({"x":[1,"two"]})", wire::broadcastFlag);
    addressed.to = "node";
    addressed.id = "id-1";
    addressed.replyTo = "back";
    host.add(addressed);
    host.add(event("raw", std::string_view("\0\xff\x01", 3), wire::bytesFlag));
    for (int n = 0; n < 8; ++n) host.add(event("small", "[1,2,3]"));
    sendAll();
    const std::string large(3000, 'x');
    host.add(event("large", large, wire::bytesFlag));
    sendAll();
    for (std::string& datagram : answers(host)) all.push_back(std::move(datagram));
    // What does not fit the queue leaves a note.
    for (int n = 0; n < 40; ++n) host.add(event("much", large, wire::bytesFlag));
    const std::vector<std::string> rest = host.out();
    all.push_back(rest.front());
    all.push_back(rest.back());
    all.push_back(heartbeatOf(host));
    all.push_back(host.begin(Type::end));
    appendEnd(all.back(), host.highest());
    return all;
}

class Corpus {
  public:
    explicit Corpus(std::filesystem::path directory) : directory_(std::move(directory)) {
        std::filesystem::create_directories(directory_);
    }
    void add(const std::string& bytes) {
        std::ofstream file(directory_ / ("seed" + std::to_string(++count_)), std::ios::binary);
        file << bytes;
        if (!file.flush()) throw std::runtime_error(directory_.string() + " cannot be written");
    }

  private:
    std::filesystem::path directory_;
    int count_ = 0;
};

void addRaw(std::string& script, const std::string& datagram) {
    append(script, Step::raw);
    append(script, static_cast<std::uint16_t>(datagram.size()));
    script += datagram;
}

// A message in pieces of 30 bytes, said in this order.
std::string pieces(const std::vector<std::uint8_t>& order) {
    std::string message;
    wire::appendEvent(message, event("pieces", R"("0123456789012345678901234567890123456789")"));
    constexpr std::size_t size = 30;
    std::string script;
    for (const std::uint8_t index : order) {
        append(script, Step::data);
        append(script, std::uint8_t{1});
        append(script, std::uint8_t{0});
        append(script, static_cast<std::uint8_t>(index == 0 ? 0 : 255));
        const std::string piece = message.substr(index * size, size);
        append(script, static_cast<std::uint8_t>(piece.size()));
        script += piece;
    }
    for (const std::uint8_t argument : {1, 0, 8}) {
        if (argument == 1) append(script, Step::heartbeat);
        append(script, argument);
    }
    append(script, Step::pass);
    append(script, std::uint16_t{100});
    return script;
}

/// What daemons and clients say of nodes; see nodes_fuzz.cpp for the form.
void writeNodes(const std::filesystem::path& directory) {
    const std::string a = R"("host":")" + wire::uuidText(uuidOf(0xaa)) + '"';
    const std::string b = R"("host":")" + wire::uuidText(uuidOf(0xbb)) + '"';
    const std::string self = R"("host":")" + wire::uuidText(uuidOf(0x01)) + '"';
    const auto node = [](const std::string& id, const std::string& host, int since) {
        return R"({"id":")" + id + R"(","regions":["eu"],"info":{"k":1},)" + host +
               R"(,"services":[{"name":"s","port":80}],"hostname":"h","since":)" +
               std::to_string(since) + '}';
    };
    const std::string all =
        "1{" + a + R"(,"serial":1,"nodes":[)" + node("x", a, 9) + ',' + node("y", a, 1) + "]}\n";
    const std::string change = "0{" + a + R"(,"serial":2,"node":)" + node("z", a, 2) + "}\n0{" + a +
                               R"(,"serial":3,"gone":"x","why":"disconnected"})" + '\n';
    const std::string stats = "3{" + a + R"(,"stats":{"y":{"load":1},"z":{}}})" + "\n5{\"l\":1}\n";
    const std::string rival = "1{" + b + R"(,"serial":0,"nodes":[)" + node("x", b, 3) + "]}\n";
    const std::string ours = R"(4{"id":"x"})"
                             "\n"
                             R"(4{"id":"yy","regions":["r"]})"
                             "\n";
    const std::string rest = "6\"yy\"\n2{" + self + "}\n9null\n8null\n7null\n";
    Corpus scripts(directory / "nodes");
    for (const std::string& script :
         {all + change + stats, ours + all + rival + rest, all + rival + change + stats + rest}) {
        scripts.add(script);
    }
}

void writeCorpus(const std::filesystem::path& directory) {
    writeNodes(directory);
    Corpus datagrams(directory / "datagram");
    Corpus scripts(directory / "reassembly");
    const std::vector<std::string> all = conversation();
    std::string inOrder;
    std::string backwards;
    std::string doubled;
    for (std::size_t n = 0; n < all.size(); ++n) {
        datagrams.add(all[n]);
        addRaw(inOrder, all[n]);
        addRaw(backwards, all[all.size() - 1 - n]);
        addRaw(doubled, all[n]);
        addRaw(doubled, all[n]);
        append(doubled, Step::pass);
        append(doubled, std::uint16_t{30});
    }
    for (const std::string& script : {inOrder, backwards, doubled, pieces({0, 1, 2}),
                                      pieces({0, 2, 1}), pieces({0, 2}), pieces({0, 1, 0, 1, 2})}) {
        scripts.add(script);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: fuzz_corpus DIR\n";
        return 2;
    }
    try {
        writeCorpus(argv[1]);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
