#include "shared_counter.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace netcluster::local {
namespace {

using Value = std::atomic<std::uint64_t>;
static_assert(Value::is_always_lock_free);  // else it could not be shared between processes

constexpr std::size_t pageSize = 4096;  // less than a page cannot be mapped
// Nobody can make it smaller under a reader (which would be a SIGBUS), or map it to write.
constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

void* map(int protection, int flags, int descriptor, void* at = nullptr) {
    void* page = mmap(at, pageSize, protection, flags, descriptor, 0);
    return page == MAP_FAILED ? nullptr : page;
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

SharedCounter::SharedCounter() {
    Descriptor memory(memfd_create("netcluster", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory || ftruncate(memory.number(), pageSize) != 0) return;
    void* page = map(PROT_READ | PROT_WRITE, MAP_SHARED, memory.number());
    if (!page) return;
    if (fcntl(memory.number(), F_ADD_SEALS, seals) != 0) {
        munmap(page, pageSize);
        return;
    }
    value_ = new (page) Value(0);
    memory_ = std::move(memory);
}

SharedCounter::~SharedCounter() {
    if (!value_) return;
    set(0);
    munmap(value_, pageSize);
}

CounterView::CounterView()
    : value_(static_cast<const Value*>(map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1))) {}

CounterView::~CounterView() {
    if (value_) munmap(const_cast<Value*>(value_), pageSize);
}

bool CounterView::attach(const Descriptor& memory) {
    detach();
    struct stat status {};
    if (!value_ || fcntl(memory.number(), F_GET_SEALS) != seals ||
        fstat(memory.number(), &status) != 0 || status.st_size != off_t{pageSize}) {
        return false;
    }
    return map(PROT_READ, MAP_SHARED | MAP_FIXED, memory.number(), const_cast<Value*>(value_));
}

void CounterView::detach() {
    if (value_) {
        map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, const_cast<Value*>(value_));
    }
}

}  // namespace netcluster::local
