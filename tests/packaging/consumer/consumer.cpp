// A program as a user of libnetcluster-dev writes it:
//
//     consumer hear CHANNEL     prints "ready", then the first event "greeting", and ends
//     consumer say CHANNEL      emits it, and ends when the daemon has it
//
// Its timer is of an Asio that was compiled with other settings than the library's: where the two
// met, it would crash.
#include <boost/asio.hpp>
#include <iostream>
#include <netcluster/agent.hpp>
#include <netcluster/control.hpp>

namespace {

namespace asio = boost::asio;

void say(netcluster::Agent& agent) {
    agent.connect();
    agent.emit("greeting", {{"said", "hello"}});
    agent.sync();
}

/// False when nothing is heard in time.
bool hear(netcluster::Agent& agent, asio::io_context& io) {
    bool heard = false;
    asio::steady_timer deadline(io, std::chrono::seconds(10));
    deadline.async_wait([&io](const boost::system::error_code&) { io.stop(); });
    agent.on("greet.*", [&](const netcluster::Event& event) {
        heard = true;
        std::cout << event.name() << ' ' << event.data()["said"] << std::endl;
        deadline.cancel();
    });
    agent.connect();
    std::cout << "ready" << std::endl;
    io.run();
    return heard;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc == 3 ? argv[1] : "";
    if (mode != "hear" && mode != "say") return 2;
    try {
        asio::io_context io;
        netcluster::Agent agent(argv[2], {.executor = [&io](std::function<void()> task) {
                                    asio::post(io, std::move(task));
                                }});
        if (mode == "hear") return hear(agent, io) ? 0 : 1;
        say(agent);
        return 0;
    } catch (const netcluster::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
