#include "pipe_name.hpp"

#include <map>
#include <mutex>
#include <netcluster/error.hpp>

#include "wide.hpp"

namespace netcluster::local {
namespace {

constexpr std::string_view prefix = R"(\\.\pipe\)";
constexpr std::size_t maxName = 256;  // as CreateNamedPipe documents it, with the prefix

[[noreturn]] void refuse(const std::string& endpoint, const std::string& why) {
    throw Error(endpoint + ": " + why);
}

[[noreturn]] void refuseTaken(const std::string& endpoint, std::int64_t pid) {
    refuse(endpoint, "another process listens here" +
                         (pid ? " (pid " + std::to_string(pid) + ")" : std::string()));
}

std::mutex mutex;
std::map<std::string, std::weak_ptr<PipeName>>& names() {
    static std::map<std::string, std::weak_ptr<PipeName>> all;
    return all;
}

// Pipes' names do not differ by case; other objects' do.
std::string folded(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

}  // namespace

std::string PipeName::lockName(const std::string& endpoint) {
    return "Global\\" + folded(endpoint.substr(prefix.size()));
}

std::shared_ptr<PipeName> PipeName::take(const std::string& endpoint) {
    if (!endpoint.starts_with(prefix) || endpoint.find('\\', prefix.size()) != std::string::npos) {
        refuse(endpoint, "is not the name of a pipe");
    }
    if (endpoint.size() > maxName) {
        refuse(endpoint, "the name is longer than the " + std::to_string(maxName) +
                             " characters a pipe's name may have");
    }
    const std::lock_guard lock(mutex);
    std::weak_ptr<PipeName>& known = names()[folded(endpoint)];
    if (auto name = known.lock()) {
        // Connections of a channel that was closed and is opened again may still live.
        if (name->taken_) refuseTaken(endpoint, GetCurrentProcessId());
        name->taken_ = true;
        name->isNew_ = false;
        return name;
    }
    std::shared_ptr<PipeName> name(new PipeName(folded(endpoint)));
    name->lock_ = CreateMutexExW(nullptr, wide(lockName(endpoint)).c_str(), 0, SYNCHRONIZE);
    if (!name->lock_ || GetLastError() == ERROR_ALREADY_EXISTS) {
        refuseTaken(endpoint, listenerAt(endpoint));
    }
    known = name;
    return name;
}

PipeName::~PipeName() {
    if (lock_) CloseHandle(lock_);
}

void PipeName::release() {
    const std::lock_guard lock(mutex);
    taken_ = false;
}

Obstacle obstacleOf(DWORD error, std::int64_t listener) {
    if (error != ERROR_ACCESS_DENIED) return Obstacle::failure;
    return listener ? Obstacle::listener : Obstacle::leftover;
}

std::int64_t listenerAt(const std::string& endpoint) {
    const HANDLE probe =
        CreateFileW(wide(endpoint).c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                    SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr);
    if (probe == INVALID_HANDLE_VALUE) return 0;
    ULONG pid = 0;
    const bool known = GetNamedPipeServerProcessId(probe, &pid);
    CloseHandle(probe);
    return known ? pid : 0;
}

}  // namespace netcluster::local
