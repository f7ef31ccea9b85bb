// Pipe: bytes, both ways.
#include <cxxabi.h>
#include <winternl.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>

#include "pipe.hpp"

namespace netcluster::local {
namespace {

// GCC keeps thread_local variables on the heap here, under a key of winpthreads whose destructor
// frees them, and runs their destructors under another. Keys end in the order they were made. So
// that none is destroyed after it was freed, that of the destructors is made before anything else.
[[gnu::constructor(101)]] void destroyBeforeFreeing() {
    abi::__cxa_thread_atexit([](void*) {}, nullptr, nullptr);
}

// Signalled when a read has ended; its lowest bit keeps the io_context from being told, too.
class Event {
  public:
    ~Event() { CloseHandle(handle_); }
    HANDLE untold() const {
        return reinterpret_cast<HANDLE>(reinterpret_cast<std::uintptr_t>(handle_) | 1);
    }

  private:
    HANDLE handle_ = CreateEventW(nullptr, TRUE, FALSE, nullptr);
};

// Of bytes that are there; 0, with the code in GetLastError, when it fails.
DWORD readNow(HANDLE handle, std::span<char> into) {
    static thread_local const Event event;
    OVERLAPPED operation{};
    operation.hEvent = event.untold();
    DWORD count = 0;
    if (!ReadFile(handle, into.data(), static_cast<DWORD>(into.size()), nullptr, &operation) &&
        GetLastError() != ERROR_IO_PENDING) {
        return 0;
    }
    return GetOverlappedResult(handle, &operation, &count, TRUE) ? count : 0;
}

// FILE_PIPE_LOCAL_INFORMATION of the driver kit, which the headers for programs leave out.
struct PipeLocalInformation {
    ULONG type, configuration, maximumInstances, currentInstances;
    ULONG inboundQuota, readDataAvailable, outboundQuota, writeQuotaAvailable;
    ULONG state, end;
};
constexpr auto filePipeLocalInformation = static_cast<FILE_INFORMATION_CLASS>(24);

using QueryInformation = NTSTATUS(NTAPI*)(HANDLE, IO_STATUS_BLOCK*, void*, ULONG,
                                          FILE_INFORMATION_CLASS);

// Bytes of ours that the system holds for the other end. Wine does not know, and says that there is
// no room at any time: as good as any other number that never changes.
std::size_t heldBySystem(HANDLE handle) {
    static const auto query = reinterpret_cast<QueryInformation>(reinterpret_cast<void*>(
        GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryInformationFile")));
    PipeLocalInformation information{};
    IO_STATUS_BLOCK status{};
    if (!query ||
        query(handle, &status, &information, sizeof information, filePipeLocalInformation) != 0) {
        return 0;
    }
    return information.outboundQuota -
           std::min(information.writeQuotaAvailable, information.outboundQuota);
}

// The first bytes of the pieces, as many as one write takes, which are taken off them.
struct Copy {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
};
Copy takeFrom(std::span<const std::string_view>& pieces, std::size_t& offset) {
    std::size_t offered = 0;
    for (const std::string_view piece : pieces) offered += piece.size();
    Copy copy;
    const std::size_t room = std::min(offered - offset, Pipe::mostAtOnce);
    copy.bytes = std::make_unique_for_overwrite<char[]>(room);
    while (copy.size < room) {
        const std::string_view rest = pieces.front().substr(offset);
        const std::size_t count = std::min(rest.size(), room - copy.size);
        std::memcpy(copy.bytes.get() + copy.size, rest.data(), count);
        copy.size += count;
        offset += count;
        if (count == rest.size()) {
            pieces = pieces.subspan(1);
            offset = 0;
        }
    }
    return copy;
}

}  // namespace

// -- reading

void Pipe::waitReadable(Ready handler) {
    const Lock lock(mutex_);
    waiting_ = true;
    boost::asio::windows::overlapped_ptr operation(
        io_.get_executor(), [self = shared_from_this(), handler = std::move(handler)](
                                const boost::system::error_code& error, std::size_t count) {
            self->readable(error, count, handler);
        });
    if (!open_ || hasFirst_) return operation.complete({}, 0);
    if (ReadFile(handle(), &first_, 1, nullptr, operation.get())) {
        operation.complete({}, operation.get()->InternalHigh);
    } else if (GetLastError() == ERROR_IO_PENDING) {
        waitingOn_ = operation.release();
    } else {
        operation.complete({}, 0);  // `read` will say what is wrong
    }
}

// Whatever went wrong, it makes the stream readable: `read` says what it was.
void Pipe::readable(const boost::system::error_code& error, std::size_t count,
                    const Ready& handler) {
    bool open = false;
    {
        const Lock lock(mutex_);
        waiting_ = false;
        waitingOn_ = nullptr;
        if (!error && count == 1) hasFirst_ = true;
        open = open_;
    }
    handler(open ? boost::system::error_code() : boost::asio::error::operation_aborted);
}

IoResult Pipe::read(std::span<char> into) {
    const Lock lock(mutex_);
    if (!open_) return pipeFailure(ERROR_INVALID_HANDLE);
    if (waiting_ || into.empty()) return {Io::wouldBlock};
    std::size_t count = 0;
    if (std::exchange(hasFirst_, false)) {
        into.front() = first_;
        count = 1;
    }
    // After the first byte, what else goes wrong is the next read's.
    DWORD there = 0;
    if (!PeekNamedPipe(handle(), nullptr, 0, nullptr, &there, nullptr)) {
        return count ? IoResult{Io::done, count} : pipeFailure(GetLastError());
    }
    const std::size_t more = std::min<std::size_t>(there, into.size() - count);
    if (more == 0) return count ? IoResult{Io::done, count} : IoResult{Io::wouldBlock};
    const DWORD got = readNow(handle(), into.subspan(count, more));
    if (got == 0 && count == 0) return pipeFailure(GetLastError());
    return {Io::done, count + got};
}

// -- writing

IoResult Pipe::write(std::span<const std::string_view> pieces) {
    const Lock lock(mutex_);
    if (!open_) return pipeFailure(ERROR_INVALID_HANDLE);
    std::size_t offset = 0;
    IoResult all{Io::wouldBlock};
    while (!pieces.empty() && !writing_) {
        Copy copy = takeFrom(pieces, offset);
        const std::size_t size = copy.size;
        if (size == 0) return {Io::done, all.count};  // what is left is empty
        const IoResult one = writeOnce(std::move(copy.bytes), size);
        // What went wrong after the first is the next call's.
        if (one.outcome != Io::done) return all.count ? all : one;
        all = {Io::done, all.count + size};
    }
    return all;
}

IoResult Pipe::writeOnce(std::unique_ptr<char[]> bytes, std::size_t count) {
    if (writeError_) return pipeFailure(writeError_);
    const char* const data = bytes.get();
    // The bytes live as long as the operation.
    boost::asio::windows::overlapped_ptr operation(
        io_.get_executor(),
        [self = shared_from_this(), bytes = std::move(bytes)](
            const boost::system::error_code& error, std::size_t) { self->written(error); });
    if (WriteFile(handle(), data, static_cast<DWORD>(count), nullptr, operation.get())) return {};
    if (GetLastError() != ERROR_IO_PENDING) return pipeFailure(GetLastError());
    writing_ = operation.release();
    writingBytes_ = count;
    writingSince_ = std::chrono::steady_clock::now();
    return {};
}

void Pipe::written(const boost::system::error_code& error) {
    Ready handler;
    bool open = false;
    {
        const Lock lock(mutex_);
        writing_ = nullptr;
        writingBytes_ = 0;
        if (error) writeError_ = static_cast<DWORD>(error.value());
        open = open_;
        if (!open_) shut();
        handler = std::exchange(whenWritable_, {});
    }
    if (handler)
        handler(open ? boost::system::error_code() : boost::asio::error::operation_aborted);
}

void Pipe::waitWritable(Ready handler) {
    const Lock lock(mutex_);
    if (open_ && writing_) {
        whenWritable_ = std::move(handler);
        return;
    }
    boost::asio::post(io_, [self = shared_from_this(), handler = std::move(handler)] {
        handler(self->isOpen() ? boost::system::error_code()
                               : boost::asio::error::operation_aborted);
    });
}

std::size_t Pipe::unread() {
    const Lock lock(mutex_);
    return open_ ? writingBytes_ + heldBySystem(handle()) : 0;
}

}  // namespace netcluster::local
