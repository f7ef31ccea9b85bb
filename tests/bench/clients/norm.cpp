// NORM, reliable by negative acknowledgements: one stream of messages with their lengths before
// them. ADDRESS is GROUP:PORT. So that the publisher cannot run past what the library can repeat,
// it keeps a window, by watermarks that the receiver acknowledges.
//
//     mbps=1000   the rate of the publisher, in megabits a second; 0: the library's congestion
//                 control
#include <normApi.h>
#include <poll.h>

#include <cstring>
#include <iostream>
#include <vector>

#include "bus.hpp"

namespace netcluster::bench {
namespace {

constexpr UINT32 bufferSize = 16 << 20;  // of the session and of the stream
constexpr NormNodeId publisherId = 1;
constexpr NormNodeId subscriberId = 2;

class NormBus;

class NormLink final : public Link {
  public:
    NormLink(NormBus& bus, double megabits, Handler handler)
        : bus_(bus), megabits_(megabits), handler_(std::move(handler)) {}

    void subscribe(const std::string&) override {
        open(subscriberId);
        NormSetDefaultSyncPolicy(session_, NORM_SYNC_STREAM);
        NormSetDefaultUnicastNack(session_, true);
        if (!NormStartReceiver(session_, bufferSize)) {
            throw std::runtime_error("NormStartReceiver");
        }
        NormSetRxSocketBuffer(session_, 8 << 20);
    }
    void announce(const std::string&) override {
        open(publisherId);
        if (megabits_ > 0)
            NormSetTxRate(session_, megabits_ * 1e6);
        else
            NormSetCongestionControl(session_, true);
        // Of a local network, with few hosts.
        NormSetGrttEstimate(session_, 0.001);
        NormSetGrttMax(session_, 0.1);
        NormSetGroupSize(session_, 10);
        NormSetBackoffFactor(session_, 0.0);
        NormAddAckingNode(session_, subscriberId);
        constexpr UINT16 segment = 1400;
        constexpr UINT16 block = 64;
        if (!NormStartSender(session_, 1, bufferSize, segment, block, 0)) {
            throw std::runtime_error("NormStartSender");
        }
        NormSetTxSocketBuffer(session_, 4 << 20);
        stream_ = NormStreamOpen(session_, bufferSize);
    }
    void settle() override {}
    void publish(std::string_view payload) override {
        const auto size = static_cast<std::uint32_t>(payload.size());
        pending_.append(reinterpret_cast<const char*>(&size), sizeof size).append(payload);
        if (pending_.size() >= bundleSize) write();
    }
    void flush() override {
        write();
        NormStreamFlush(stream_, false, NORM_FLUSH_ACTIVE);
    }
    void drain() override;

    void take(const NormEvent& event) {
        if (event.type == NORM_RX_OBJECT_UPDATED) read(event.object);
        if (event.type != NORM_TX_WATERMARK_COMPLETED) return;
        if (NormGetAckingStatus(session_) == NORM_ACK_SUCCESS) {
            acknowledged_ = marked_;
            waiting_ = false;
        } else {
            NormResetWatermark(session_);
        }
    }

  private:
    static constexpr std::size_t bundleSize = 16 << 10;
    static constexpr std::uint64_t window = bufferSize / 2;

    void open(NormNodeId id);
    void write();
    void mark() {
        waiting_ = true;
        marked_ = written_;
        NormSetWatermark(session_, stream_, true);
    }
    void read(NormObjectHandle stream) {
        for (;;) {
            incoming_.resize(filled_ + (std::size_t{256} << 10));
            auto count = static_cast<unsigned>(incoming_.size() - filled_);
            if (!NormStreamRead(stream, incoming_.data() + filled_, &count)) {
                std::cerr << "a break in the stream" << std::endl;
                filled_ = 0;
                NormStreamSeekMsgStart(stream);
                continue;
            }
            if (count == 0) return;
            filled_ += count;
            consume();
        }
    }
    void consume() {
        std::string_view bytes(incoming_.data(), filled_);
        for (std::uint32_t size = 0; bytes.size() >= sizeof size;) {
            std::memcpy(&size, bytes.data(), sizeof size);
            if (bytes.size() - sizeof size < size) break;
            handler_(bytes.substr(sizeof size, size));
            bytes.remove_prefix(sizeof size + size);
        }
        std::memmove(incoming_.data(), bytes.data(), bytes.size());
        filled_ = bytes.size();
    }

    NormBus& bus_;
    const double megabits_;
    Handler handler_;
    NormSessionHandle session_ = NORM_SESSION_INVALID;

    NormObjectHandle stream_ = NORM_OBJECT_INVALID;
    std::string pending_;
    std::uint64_t written_ = 0;       // bytes, to the stream
    std::uint64_t marked_ = 0;        // up to the last watermark
    std::uint64_t acknowledged_ = 0;  // up to the last watermark that the subscriber has reached
    bool waiting_ = false;            // for that of the last one

    std::string incoming_;
    std::size_t filled_ = 0;
};

class NormBus final : public Bus {
  public:
    NormBus(std::string address, double megabits)
        : address_(std::move(address)), megabits_(megabits), instance_(NormCreateInstance()) {}
    ~NormBus() override { NormDestroyInstance(instance_); }
    NormBus(const NormBus&) = delete;
    NormBus& operator=(const NormBus&) = delete;

    /// One in a process.
    std::unique_ptr<Link> connect(Handler handler, std::size_t) override {
        auto link = std::make_unique<NormLink>(*this, megabits_, std::move(handler));
        link_ = link.get();
        return link;
    }
    NormSessionHandle open(NormNodeId id) {
        const auto colon = address_.rfind(':');
        const auto port = static_cast<UINT16>(std::stoi(address_.substr(colon + 1)));
        const NormSessionHandle session =
            NormCreateSession(instance_, address_.substr(0, colon).c_str(), port, id);
        if (session == NORM_SESSION_INVALID) throw std::runtime_error("NormCreateSession");
        NormSetMulticastInterface(session, "eth0");
        NormSetTTL(session, 1);
        return session;
    }
    void poll(int milliseconds) override {
        pollfd happened{NormGetDescriptor(instance_), POLLIN, 0};
        // The library says only by its descriptor that there is no further event.
        for (; ::poll(&happened, 1, milliseconds) > 0; milliseconds = 0) {
            NormEvent event;
            if (!NormGetNextEvent(instance_, &event, false)) return;
            link_->take(event);
        }
    }

  private:
    const std::string address_;
    const double megabits_;
    const NormInstanceHandle instance_;
    NormLink* link_ = nullptr;
};

void NormLink::open(NormNodeId id) {
    session_ = bus_.open(id);
}

void NormLink::write() {
    for (std::string_view rest = pending_; !rest.empty();) {
        const auto count =
            written_ - acknowledged_ < window
                ? NormStreamWrite(stream_, rest.data(), static_cast<unsigned>(rest.size()))
                : 0;
        rest.remove_prefix(count);
        written_ += count;
        if (!waiting_ && written_ - marked_ >= window / 4) {
            NormStreamFlush(stream_);
            mark();
        }
        bus_.poll(count ? 0 : 20);
    }
    pending_.clear();
}

void NormLink::drain() {
    write();
    NormStreamFlush(stream_, true);
    mark();
    const std::int64_t giveUp = nowNanoseconds() + 10'000'000'000;
    while (acknowledged_ < written_ && nowNanoseconds() < giveUp) bus_.poll(50);
}

}  // namespace

std::unique_ptr<Bus> makeBus(const std::string& address, const Options& options) {
    return std::make_unique<NormBus>(address, static_cast<double>(options.number("mbps", 1000)));
}

}  // namespace netcluster::bench
