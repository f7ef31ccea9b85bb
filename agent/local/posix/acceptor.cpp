#include "acceptor.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netcluster/error.hpp>

#include "handed_over.hpp"

namespace netcluster::local {
namespace {

using Protocol = boost::asio::local::stream_protocol;

// Shedding pauses this long: short enough that the next client hardly notices, long enough that a
// starved daemon stays idle (a level-triggered accept would otherwise spin).
constexpr auto starvedPause = std::chrono::milliseconds(100);

[[noreturn]] void refuse(const std::string& endpoint, const std::string& why) {
    throw Error(endpoint + ": " + why);
}

// The pid of whoever accepts at `endpoint`, 0 when nobody does.
std::int64_t ownerOf(boost::asio::io_context& io, const std::string& endpoint) {
    Connected probe = connectTo(io, endpoint);
    if (!probe.stream) return 0;
    const auto peer = probe.stream->peer();
    return peer ? peer->pid : -1;
}

void clearStale(boost::asio::io_context& io, const std::string& endpoint) {
    struct stat status {};
    if (lstat(endpoint.c_str(), &status) != 0) {
        if (errno == ENOENT) return;
        refuse(endpoint, std::strerror(errno));
    }
    if (!S_ISSOCK(status.st_mode)) refuse(endpoint, "is there already and is not a socket");
    if (const std::int64_t owner = ownerOf(io, endpoint); owner != 0) {
        refuse(endpoint, "another process listens here (pid " + std::to_string(owner) + ")");
    }
    if (unlink(endpoint.c_str()) != 0) refuse(endpoint, std::strerror(errno));
}

gid_t groupId(const std::string& endpoint, const std::string& name) {
    const group* entry = getgrnam(name.c_str());
    if (!entry) refuse(endpoint, "no group named \"" + name + "\"");
    return entry->gr_gid;
}

bool outOfDescriptors(const boost::system::error_code& error) {
    return error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
           error.value() == ENOMEM;
}

}  // namespace

class Acceptor::Impl : public std::enable_shared_from_this<Acceptor::Impl> {
  public:
    Impl(boost::asio::io_context& io, std::string path, const Rights& rights)
        : io_(io), endpoint(std::move(path)), acceptor_(io), pause_(io) {
        if (endpoint.size() >= sizeof(sockaddr_un::sun_path)) {
            refuse(endpoint, "the path is longer than the " +
                                 std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                 " bytes a socket's path may have");
        }
        if (Descriptor handed = handedOver(endpoint)) {
            takeOver(std::move(handed));
        } else {
            clearStale(io, endpoint);
            listen(rights);
        }
    }

    ~Impl() { stop(); }

    void start(std::function<void(Stream)> accepted,
               std::function<void(const std::string&)> trouble) {
        accepted_ = std::move(accepted);
        trouble_ = std::move(trouble);
        wait();
    }

    void stop() {
        if (!acceptor_.is_open()) return;
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
        if (!takenOver_) unlink(endpoint.c_str());
        if (spare_ >= 0) ::close(spare_);
        spare_ = -1;
        accepted_ = nullptr;
        trouble_ = nullptr;
    }

    void setRights(const Rights& rights) {
        if (takenOver_) return;
        const gid_t group = rights.group.empty() ? getegid() : groupId(endpoint, rights.group);
        if (lchown(endpoint.c_str(), static_cast<uid_t>(-1), group) != 0) {
            refuse(endpoint,
                   "cannot give it to group " + rights.group + ": " + std::strerror(errno));
        }
        if (chmod(endpoint.c_str(), rights.mode) != 0) refuse(endpoint, std::strerror(errno));
    }

  private:
    void listen(const Rights& rights) {
        boost::system::error_code error;
        acceptor_.open(Protocol(), error);
        if (!error) fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
        // Nobody may connect before the mode is set.
        const mode_t before = umask(0777);
        if (!error) acceptor_.bind(Protocol::endpoint(endpoint), error);
        umask(before);
        if (error) refuse(endpoint, error.message());
        try {
            setRights(rights);
        } catch (...) {
            unlink(endpoint.c_str());
            throw;
        }
        beginAccepting();
    }

    // Who made it holds it open too, and goes on when we end. It also decided who may connect.
    void takeOver(Descriptor handed) {
        struct stat status {};
        if (lstat(endpoint.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
            refuse(endpoint,
                   "the socket that was handed over is not there any more: clients would not find "
                   "it (restart its socket unit)");
        }
        takenOver_ = true;
        boost::system::error_code error;
        acceptor_.assign(Protocol(), handed.number(), error);
        if (error) refuse(endpoint, error.message());
        handed.release();
        beginAccepting();
    }

    // For a socket that listens already, this makes us the one whom clients see at its other end.
    void beginAccepting() {
        boost::system::error_code error;
        acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
        if (!error) acceptor_.non_blocking(true, error);
        if (error) refuse(endpoint, error.message());
        spare_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }

    void wait() {
        acceptor_.async_wait(boost::asio::socket_base::wait_read,
                             [self = shared_from_this()](const boost::system::error_code& error) {
                                 if (!error && self->acceptor_.is_open()) self->acceptAll();
                             });
    }

    void acceptAll() {
        // Bounded, so that a storm of connections does not hold up those that are there.
        for (int round = 0; round < 64 && acceptor_.is_open(); ++round) {
            boost::system::error_code error;
            Stream::Socket socket(io_);
            acceptor_.accept(socket, error);
            if (error && outOfDescriptors(error)) return shed(error.message());
            if (error) break;
            accepted_(Stream(std::move(socket)));
        }
        if (acceptor_.is_open()) wait();
    }

    // Out of descriptors the waiting client would keep the socket readable for ever. The spare
    // descriptor lets us take it and turn it away.
    void shed(const std::string& why) {
        trouble_(endpoint + ": turned a client away: " + why);
        if (spare_ >= 0) ::close(spare_);
        const int refused = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
        if (refused >= 0) ::close(refused);
        spare_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
        pause_.expires_after(starvedPause);
        pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error && self->acceptor_.is_open()) self->wait();
        });
    }

    boost::asio::io_context& io_;

  public:
    const std::string endpoint;

  private:
    Protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::function<void(Stream)> accepted_;
    std::function<void(const std::string&)> trouble_;
    int spare_ = -1;
    bool takenOver_ = false;
};

Acceptor::Acceptor(boost::asio::io_context& io, std::string endpoint, const Rights& rights)
    : impl_(std::make_shared<Impl>(io, std::move(endpoint), rights)) {}
Acceptor::~Acceptor() {
    impl_->stop();
}
void Acceptor::start(std::function<void(Stream)> accepted,
                     std::function<void(const std::string&)> trouble) {
    impl_->start(std::move(accepted), std::move(trouble));
}
void Acceptor::stop() {
    impl_->stop();
}
void Acceptor::setRights(const Rights& rights) {
    impl_->setRights(rights);
}
const std::string& Acceptor::endpoint() const {
    return impl_->endpoint;
}

}  // namespace netcluster::local
