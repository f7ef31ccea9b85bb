// Writes the seeds of the fuzzers: `fuzz_corpus DIR` fills DIR/datagram and DIR/reassembly with
// valid datagrams of every kind, and with conversations made of them.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

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
struct Host {
    std::vector<std::string> out() {
        std::vector<std::string> datagrams;
        packer.close();
        for (; !queue.empty(); queue.pop()) {
            stampPacket(queue.front().datagram, ++packet);
            datagrams.push_back(queue.front().datagram);
        }
        return datagrams;
    }
    std::string begin(Type type) {
        std::string datagram;
        appendHeader(datagram, {type, session, ++packet});
        return datagram;
    }

    wire::Uuid session = uuidOf(1);
    DatagramQueue queue{std::size_t{1} << 20};
    Packer packer{session, "alpha", maxEvent, queue};
    std::uint64_t packet = 0;
};

/// Every kind of datagram, in the order in which a host might send them.
std::vector<std::string> conversation() {
    Host host;
    std::vector<std::string> all;
    const auto heartbeat = [&](std::uint64_t highest) {
        all.push_back(host.begin(Type::heartbeat));
        appendHeartbeat(all.back(), {highest, 1234, uuidOf(9), "alpha", "2.0.0"});
    };
    const auto sendAll = [&] {
        for (std::string& datagram : host.out()) all.push_back(std::move(datagram));
    };
    heartbeat(0);
    host.packer.add(event("hello", "1"));
    sendAll();
    wire::EventView addressed = event("addressed", R"({"x":[1,"two"]})", wire::broadcastFlag);
    addressed.to = "node";
    addressed.id = "id-1";
    addressed.replyTo = "back";
    host.packer.add(addressed);
    host.packer.add(event("raw", std::string_view("\0\xff\x01", 3), wire::bytesFlag));
    for (int n = 0; n < 8; ++n) host.packer.add(event("small", "[1,2,3]"));
    sendAll();
    const std::string large(3000, 'x');
    host.packer.add(event("large", large, wire::bytesFlag));
    sendAll();
    // What does not fit the queue leaves a note.
    const std::string tooMuch(maxEvent, 'y');
    for (int n = 0; n < 17; ++n) host.packer.add(event("much", tooMuch, wire::bytesFlag));
    std::vector<std::string> rest = host.out();
    all.push_back(rest.front());
    all.push_back(rest.back());
    heartbeat(all.size());
    all.push_back(host.begin(Type::end));
    appendEnd(all.back(), all.size());
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

// A message of four fragments from one session, each step as far ahead as it says.
std::string fragments(const std::vector<std::uint8_t>& indices) {
    std::string script;
    for (const std::uint8_t index : indices) {
        append(script, Step::fragment);
        append(script, std::uint8_t{1});
        append(script, std::uint8_t{0});
        append(script, std::uint16_t{64});
        append(script, index);
        append(script, std::uint8_t{4});
        append(script, std::uint8_t{16});
        script.append(16, static_cast<char>('a' + index));
    }
    append(script, Step::heartbeat);
    append(script, std::uint8_t{1});
    append(script, std::uint8_t{0});
    append(script, Step::pass);
    append(script, std::uint16_t{100});
    return script;
}

void writeCorpus(const std::filesystem::path& directory) {
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
    for (const std::string& script :
         {inOrder, backwards, doubled, fragments({0, 1, 2, 3}), fragments({0, 2, 1, 3}),
          fragments({0, 1, 3}), fragments({0, 1, 0, 1, 2, 3})}) {
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
