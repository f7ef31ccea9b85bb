#include "acceptor.hpp"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <algorithm>
#include <chrono>
#include <netcluster/error.hpp>
#include <vector>

#include "pipe.hpp"
#include "pipe_name.hpp"
#include "security.hpp"
#include "wide.hpp"

namespace netcluster::local {
namespace {

// Short enough that the next client hardly notices, long enough that a starved daemon stays idle.
constexpr auto starvedPause = std::chrono::milliseconds(100);
// A client whose daemon has gone lets go of the pipe at once, if it is well.
constexpr auto leftoverPatience = std::chrono::seconds(5);
constexpr DWORD leftoverPauseMs = 50;

[[noreturn]] void refuse(const std::string& endpoint, const std::string& why) {
    throw Error(endpoint + ": " + why);
}

struct Free {
    void operator()(void* memory) const { LocalFree(memory); }
};
using SecurityDescriptor = std::unique_ptr<void, Free>;

SecurityDescriptor descriptorFor(const std::string& endpoint, const Acceptor::Rights& rights) {
    std::string group;
    if (!rights.group.empty()) {
        group = accountNamed(rights.group);
        if (group.empty()) refuse(endpoint, "no group named \"" + rights.group + "\"");
    } else if (servesMachine()) {
        group = interactiveUsers;
    }
    const std::string text = descriptorText(rights.mode, ownAccount(), group);
    void* descriptor = nullptr;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(wide(text).c_str(), SDDL_REVISION_1,
                                                              &descriptor, nullptr)) {
        refuse(endpoint, "cannot have the rights " + text + ": " + systemMessage(GetLastError()));
    }
    return SecurityDescriptor(descriptor);
}

// Empty when it cannot be told.
std::string ownerOf(HANDLE pipe) {
    PSID owner = nullptr;
    void* descriptor = nullptr;
    if (GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, nullptr,
                        nullptr, nullptr, &descriptor) != ERROR_SUCCESS) {
        return {};
    }
    const SecurityDescriptor memory(descriptor);
    wchar_t* text = nullptr;
    if (!owner || !ConvertSidToStringSidW(owner, &text)) return {};
    std::string result = narrow(text);
    LocalFree(text);
    return result;
}

}  // namespace

class Acceptor::Impl : public std::enable_shared_from_this<Acceptor::Impl> {
  public:
    Impl(boost::asio::io_context& io, std::string name, const Rights& rights)
        : endpoint(std::move(name)),
          io_(io),
          pause_(io),
          name_(PipeName::take(endpoint)),
          descriptor_(nullptr) {
        try {
            descriptor_ = descriptorFor(endpoint, rights);
            instances_.push_back(makeFirst());
            // The rights belong to the pipe, which may be older than this instance.
            apply(descriptor_.get());
            while (instances_.size() < waitingInstances) instances_.push_back(makeInstance());
        } catch (...) {
            stop();
            throw;
        }
    }

    ~Impl() { stop(); }

    void start(std::function<void(Stream)> accepted,
               std::function<void(const std::string&)> trouble) {
        accepted_ = std::move(accepted);
        trouble_ = std::move(trouble);
        for (const auto& instance : instances_) wait(instance);
    }

    void stop() {
        if (!name_) return;
        pause_.cancel();
        for (const auto& instance : instances_) instance->close();
        instances_.clear();
        name_->release();
        name_.reset();
        accepted_ = nullptr;
        trouble_ = nullptr;
    }

    void setRights(const Rights& rights) {
        SecurityDescriptor changed = descriptorFor(endpoint, rights);
        apply(changed.get());
        descriptor_ = std::move(changed);
    }

    const std::string endpoint;

  private:
    using Instance = std::shared_ptr<Pipe>;

    void apply(void* descriptor) {
        for (const auto& instance : instances_) {
            if (!SetKernelObjectSecurity(instance->handle(), DACL_SECURITY_INFORMATION,
                                         descriptor)) {
                refuse(endpoint, "cannot be given its rights: " + systemMessage(GetLastError()));
            }
        }
    }

    // INVALID_HANDLE_VALUE when the system refuses.
    HANDLE create(DWORD flags) {
        SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor_.get(), FALSE};
        return CreateNamedPipeW(
            wide(endpoint).c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | WRITE_DAC | flags,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            PIPE_UNLIMITED_INSTANCES, Pipe::mostAtOnce, Pipe::mostAtOnce, 0, &attributes);
    }

    Instance instanceOf(HANDLE handle) {
        try {
            auto pipe = std::make_shared<Pipe>(io_, handle, Pipe::End::server);
            pipe->keep(name_);
            return pipe;
        } catch (const boost::system::system_error& error) {
            refuse(endpoint, error.code().message());
        }
    }

    Instance makeInstance() {
        const HANDLE handle = create(0);
        if (handle == INVALID_HANDLE_VALUE) refuse(endpoint, systemMessage(GetLastError()));
        return instanceOf(handle);
    }

    // A pipe lives as long as any end of it, so a client that has not noticed the end of the daemon
    // before us keeps its pipe. It is joined if it is no stranger's; one that does not let us in is
    // waited for.
    Instance makeFirst() {
        if (!name_->isNew()) return makeInstance();
        const auto deadline = std::chrono::steady_clock::now() + leftoverPatience;
        for (;;) {
            const HANDLE fresh = create(FILE_FLAG_FIRST_PIPE_INSTANCE);
            if (fresh != INVALID_HANDLE_VALUE) return instanceOf(fresh);
            const DWORD code = GetLastError();
            const std::int64_t other = code == ERROR_ACCESS_DENIED ? listenerAt(endpoint) : 0;
            const Obstacle obstacle = obstacleOf(code, other);
            if (obstacle == Obstacle::listener) {
                refuse(endpoint,
                       "another process listens here (pid " + std::to_string(other) + ")");
            }
            if (obstacle == Obstacle::failure) refuse(endpoint, systemMessage(code));
            if (const HANDLE joined = create(0); joined != INVALID_HANDLE_VALUE) {
                return checked(joined);
            }
            if (std::chrono::steady_clock::now() >= deadline) refuse(endpoint, systemMessage(code));
            Sleep(leftoverPauseMs);
        }
    }

    Instance checked(HANDLE joined) {
        const std::string owner = ownerOf(joined);
        if (!isTrustedOwner(owner, ownAccount())) {
            CloseHandle(joined);
            refuse(endpoint, "the pipe belongs to another user (" + owner + ")");
        }
        return instanceOf(joined);
    }

    void wait(const Instance& instance) {
        instance->waitConnected(
            [self = shared_from_this(), instance](const boost::system::error_code& error) {
                if (self->name_) self->came(instance, error);
            });
    }

    void came(const Instance& instance, const boost::system::error_code& error) {
        const auto at = std::find(instances_.begin(), instances_.end(), instance);
        if (at == instances_.end()) return;
        instances_.erase(at);
        replenish();
        if (error) return trouble_(endpoint + ": a client could not connect: " + error.message());
        const auto accepted = accepted_;  // it may stop us
        accepted(Stream(instance));
    }

    void replenish() {
        try {
            while (instances_.size() < waitingInstances) {
                instances_.push_back(makeInstance());
                wait(instances_.back());
            }
        } catch (const Error& error) {
            trouble_(error.what());
            pause_.expires_after(starvedPause);
            pause_.async_wait([self = shared_from_this()](const boost::system::error_code& ended) {
                if (!ended && self->name_) self->replenish();
            });
        }
    }

    boost::asio::io_context& io_;
    boost::asio::steady_timer pause_;
    std::shared_ptr<PipeName> name_;  // none when stopped
    SecurityDescriptor descriptor_;
    std::vector<Instance> instances_;
    std::function<void(Stream)> accepted_;
    std::function<void(const std::string&)> trouble_;
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
