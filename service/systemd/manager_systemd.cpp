// The manager is systemd, or nobody: signals ask, $NOTIFY_SOCKET is told.
#include <time.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <mutex>

#include "manager.hpp"
#include "notifier.hpp"
#include "sockets.hpp"

namespace netcluster::service {
namespace {

using namespace std::chrono_literals;

// Reason: one datagram in this time at most, and a status that is never older than it.
constexpr auto statusPeriod = 5000ms;
// A status is one line of a few hundred bytes to whoever shows it.
constexpr std::size_t longestStatus = 400;

std::string oneLine(const std::string& text) {
    std::string line = text.substr(0, longestStatus);
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return line;
}

// systemd tells by it whether a READY that comes is the answer to this reload or an older one's.
std::string monotonicMicroseconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::to_string(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000);
}

}  // namespace

class Manager::Impl {
  public:
    Request next() {
        int caught = 0;
        signals_.async_wait([&](const boost::system::error_code& error, int signal) {
            if (!error) caught = signal;
        });
        io_.restart();
        io_.run();
        return {caught == SIGHUP ? Request::reload : Request::stop,
                "signal " + std::to_string(caught)};
    }

    void say(const std::string& state, const std::string& status) {
        const std::lock_guard lock(mutex_);
        last_ = oneLine(status);
        notifier_.tell(state + "\nSTATUS=" + last_);
    }

    // From the event loop, which must not wait while `say` does: the next one says it.
    void status(const std::string& text) {
        if (!notifier_.connected()) return;
        const std::string line = oneLine(text);
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock || line == last_) return;
        if (notifier_.hint("STATUS=" + line)) last_ = line;
    }

    void alive() {
        if (watchdog_ > 0us) notifier_.hint("WATCHDOG=1");
    }

    std::chrono::milliseconds pulse() const {
        if (!notifier_.connected()) return 0ms;
        if (watchdog_ == 0us) return statusPeriod;
        const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(watchdog_ / 2);
        return std::clamp<std::chrono::milliseconds>(half, 1ms, statusPeriod);
    }

  private:
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    const Notifier notifier_;
    const std::chrono::microseconds watchdog_ = Notifier::watchdog();
    std::mutex mutex_;
    std::string last_;  // status that was sent
};

Manager::Manager() : impl_(std::make_unique<Impl>()) {
    std::signal(SIGPIPE, SIG_IGN);
}
Manager::~Manager() = default;

void Manager::takeEndpoints() {
    takeSockets();
}
Request Manager::next() {
    return impl_->next();
}
void Manager::ready(const std::string& status) {
    impl_->say("READY=1", status);
    warnOfUnusedSockets();
}
void Manager::reloading() {
    impl_->say("RELOADING=1\nMONOTONIC_USEC=" + monotonicMicroseconds(), "reloading");
}
void Manager::stopping() {
    impl_->say("STOPPING=1", "stopping");
}
void Manager::status(const std::string& line) {
    impl_->status(line);
}
void Manager::alive() {
    impl_->alive();
}
std::chrono::milliseconds Manager::pulse() const {
    return impl_->pulse();
}

int run(const std::function<int(Manager&)>& program) {
    Manager manager;
    return program(manager);
}

}  // namespace netcluster::service
