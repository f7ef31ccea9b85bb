// A program as a user of libnetcluster-dev writes it:
//
//     consumer hear CHANNEL     prints "ready", then the first event "greeting", and ends
//     consumer say CHANNEL      emits it, and ends when the daemon has it
//
// With an Asio of its own, compiled with other settings than the library's: the two must not meet.
#include <boost/asio.hpp>
#include <iostream>
#include <netcluster/agent.hpp>
#include <netcluster/control.hpp>

int main(int argc, char** argv) {
    const std::string mode = argc == 3 ? argv[1] : "";
    if (mode.empty()) return 2;
    try {
        boost::asio::io_context io;
        const auto alive = boost::asio::make_work_guard(io);
        netcluster::Agent agent(argv[2], {.executor = [&io](std::function<void()> task) {
                                    boost::asio::post(io, std::move(task));
                                }});
        if (mode == "say") {
            agent.connect();
            agent.emit("greeting", {{"said", "hello"}});
            agent.sync();
            return 0;
        }
        agent.on("greet.*", [&io](const netcluster::Event& event) {
            std::cout << event.name() << ' ' << event.data()["said"] << std::endl;
            io.stop();
        });
        agent.connect();
        std::cout << "ready" << std::endl;
        io.run_for(std::chrono::seconds(10));
        return io.stopped() ? 0 : 1;
    } catch (const netcluster::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
