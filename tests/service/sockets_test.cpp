// Socket activation: descriptors from 3 on, and what the environment says of them. Each case is a
// process of its own, for descriptors 3 and 4 to be free.
#include "sockets.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <netcluster/error.hpp>
#include <sstream>
#include <vector>

#include "handed_over.hpp"

namespace netcluster::service {
namespace {

int listening(const std::string& path) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(descriptor, 1) != 0) {
        _exit(90);
    }
    return descriptor;
}

struct Handed {
    std::vector<std::string> paths{};
    std::string names{};
    bool forUs = true;
};

/// Runs `question` as systemd would have started it; whether it answered true.
bool asService(const Handed& handed, const std::function<bool()>& question) {
    const pid_t child = fork();
    if (child == 0) {
        std::vector<int> made;
        for (const std::string& path : handed.paths) made.push_back(listening(path));
        // High enough not to be overwritten while they are put in their places.
        for (int& descriptor : made) descriptor = fcntl(descriptor, F_DUPFD, 100);
        int place = 3;
        for (const int descriptor : made) dup2(descriptor, place++);
        setenv("LISTEN_PID", handed.forUs ? std::to_string(getpid()).c_str() : "1", 1);
        setenv("LISTEN_FDS", std::to_string(made.size()).c_str(), 1);
        if (!handed.names.empty()) setenv("LISTEN_FDNAMES", handed.names.c_str(), 1);
        _exit(question() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    for (const std::string& path : handed.paths) unlink(path.c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string path(const std::string& name) {
    return "/tmp/nc-sockets-" + std::to_string(getpid()) + "-" + name;
}

}  // namespace

TEST_CASE("what systemd opened is taken over, each by its path") {
    const std::string control = path("control");
    const std::string sensors = path("sensors");
    CHECK(asService({{control, sensors}, "control:sensors"}, [&] {
        takeSockets();
        return local::handedOver(sensors).number() > 4 && local::handedOver(control).number() > 4 &&
               !local::handedOver(path("other"));
    }));
}

TEST_CASE("names are not needed") {
    const std::string control = path("control");
    CHECK(asService({{control}}, [&] {
        takeSockets();
        return static_cast<bool>(local::handedOver(control));
    }));
}

TEST_CASE("what is meant for another process is left alone") {
    const std::string control = path("control");
    CHECK(asService({{control}, "control", false}, [&] {
        takeSockets();
        return !local::handedOver(control) && local::unusedHandedOver().empty();
    }));
}

TEST_CASE("what cannot be a channel's is refused, by the name of its unit") {
    CHECK(asService({}, [] {
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_FDNAMES", "odd", 1);
        const int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
        dup2(datagram, 3);
        try {
            takeSockets();
        } catch (const Error& error) {
            return std::string(error.what()).find("\"odd\" (descriptor 3)") != std::string::npos;
        }
        return false;
    }));
}

TEST_CASE("one that no channel listens at is in the log") {
    const std::string control = path("control");
    const std::string sensors = path("sensors");
    CHECK(asService({{control, sensors}, "control:sensors"}, [&] {
        std::ostringstream log;
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_st>(log)));
        takeSockets();
        const local::Descriptor used = local::handedOver(control);
        warnOfUnusedSockets();
        return log.str().find(sensors) != std::string::npos &&
               log.str().find(control) == std::string::npos;
    }));
}

}  // namespace netcluster::service
