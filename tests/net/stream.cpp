#include "stream.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <netcluster/error.hpp>
#include <random>

#include "little_endian.hpp"

namespace netcluster::scenario {
namespace {

constexpr std::size_t headSize = 12;
constexpr std::size_t largestFrame = std::size_t{80} << 20;
constexpr std::size_t batch = std::size_t{64} << 10;
constexpr std::string_view fenceSuffix = ".fence";
constexpr std::string_view gapEvent = "nc-net-gap";
// Of the hello: tell me of gaps between hosts.
constexpr std::uint32_t netGapCapability = 2;

// What events are filled with; where one begins depends on its number.
const std::string& filling() {
    static const std::string bytes = [] {
        std::string all(std::size_t{1} << 20, '\0');
        std::minstd_rand random(4454);
        for (char& byte : all) byte = static_cast<char>(random() >> 8);
        return all;
    }();
    return bytes;
}

std::string_view fillingOf(std::uint64_t number, std::size_t size) {
    const std::size_t from = number * 61 % 4096;
    if (from + size > filling().size()) throw Error("too large for a stream");
    return std::string_view(filling()).substr(from, size);
}

bool isWhole(std::string_view data, std::uint64_t& number) {
    if (data.size() < headSize) return false;
    number = wire::loadLittle<std::uint64_t>(data.data());
    if (wire::loadLittle<std::uint32_t>(data.data() + 8) != data.size()) return false;
    return data.substr(headSize) == fillingOf(number, data.size() - headSize);
}

}  // namespace

std::uint64_t scaled(std::uint64_t full) {
    const char* text = std::getenv("NETCLUSTER_TEST_SCALE");
    const double share = text ? std::atof(text) : slowness() > 1 ? 0.05 : 1;
    return std::max<std::uint64_t>(1,
                                   static_cast<std::uint64_t>(static_cast<double>(full) * share));
}

std::string numbered(std::uint64_t number, std::size_t size) {
    std::string data(headSize, '\0');
    wire::storeLittle(data.data(), number);
    wire::storeLittle(data.data() + 8, static_cast<std::uint32_t>(size));
    return data.append(fillingOf(number, size - headSize));
}

// -- Emitter -----------------------------------------------------------------------------------

Emitter::Emitter(const std::string& socket, std::string stream, Shape shape)
    : client_(socket, {}), stream_(std::move(stream)), shape_(shape) {}

void Emitter::append(const std::string& event, const std::string& data) {
    wire::EventView view;
    view.flags = wire::bytesFlag;
    view.name = event;
    view.channel = client_.welcome().channel;
    view.payload = data;
    wire::appendEvent(bytes_, view);
}

void Emitter::send() {
    if (!client_.connection().send(bytes_)) throw Error("the daemon has hung up");
    bytes_.clear();
}

void Emitter::emit(std::uint64_t count) {
    std::uint64_t number = emitted_;
    for (const std::uint64_t end = number + count; number < end; ++number) {
        const bool large = shape_.largeEvery != 0 && (number + 1) % shape_.largeEvery == 0;
        append(stream_, numbered(number, large ? shape_.largeSize : shape_.size));
        if (bytes_.size() < batch) continue;
        send();
        emitted_ = number + 1;
    }
    send();
    emitted_ = number;
}

void Emitter::fence() {
    append(stream_ + std::string(fenceSuffix), std::to_string(emitted_.load()));
    send();
}

// -- Flow --------------------------------------------------------------------------------------

Flow::Flow(Emitter& emitter, std::uint64_t perSecond)
    : emitter_(emitter), thread_([this, perSecond] {
          try {
              run(perSecond);
          } catch (...) {
              error_ = std::current_exception();
          }
      }) {}

Flow::~Flow() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void Flow::stop() {
    stopping_ = true;
    thread_.join();
    if (error_) std::rethrow_exception(error_);
}

void Flow::run(std::uint64_t perSecond) {
    constexpr std::chrono::milliseconds tick{10};
    for (auto due = Clock::now(); !stopping_; due += tick) {
        emitter_.emit(perSecond == 0 ? 500 : std::max<std::uint64_t>(1, perSecond / 100));
        if (perSecond != 0) std::this_thread::sleep_until(due + tick);
    }
}

// -- Collector ---------------------------------------------------------------------------------

std::ostream& operator<<(std::ostream& out, const Heardof& heard) {
    return out << "received " << heard.received << ", first " << heard.first << ", next "
               << heard.next << ", holes " << heard.holes << ", missing " << heard.missing
               << ", repeated " << heard.repeated << ", wrong " << heard.wrong << ", fenced "
               << heard.fenced << ", untold " << heard.untold;
}

Collector::Collector(const std::string& socket, const std::vector<std::string>& streams,
                     Hears hears)
    : connection_(socket) {
    std::vector<std::string> patterns;
    for (const std::string& stream : streams) {
        streams_[stream];
        patterns.push_back(stream + "(\\.fence)?");
    }
    greet(hears == Hears::everything ? std::vector<std::string>{".*"} : patterns);
    thread_ = std::thread([this] {
        std::string why;
        try {
            run();
        } catch (const std::exception& error) {
            why = error.what();
        }
        const std::lock_guard lock(mutex_);
        ended_ = why.empty() ? "stopped" : why;
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience(), [this] { return ready_ || !ended_.empty(); });
    if (ready_) return;
    lock.unlock();
    stopping_ = true;
    thread_.join();
    throw Error("no collector: " + ended_);
}

Collector::~Collector() {
    stopping_ = true;
    thread_.join();
}

void Collector::greet(const std::vector<std::string>& patterns) {
    std::string bytes = greeting({.capabilities = netGapCapability, .agent = "collector"});
    std::uint32_t id = 0;
    for (const std::string& pattern : patterns) wire::appendSubscribe(bytes, {++id, pattern});
    wire::appendSync(bytes, wire::FrameType::sync, 1);
    connection_.send(bytes);
}

// False when the daemon has hung up or the test wants to go on.
bool Collector::readMore(std::string& buffer) {
    constexpr std::chrono::milliseconds look{20};
    while (!stopping_) {
        if (connection_.readable(look)) return connection_.receive(buffer, std::size_t{1} << 18);
    }
    return false;
}

void Collector::run() {
    std::string buffer;
    while (buffer.size() < wire::preface.size()) {
        if (!readMore(buffer)) return;
    }
    if (!buffer.starts_with(wire::preface)) throw Error("no preface");
    buffer.erase(0, wire::preface.size());
    for (;;) {
        std::string_view rest = buffer;
        wire::FrameView frame;
        {
            const std::lock_guard lock(mutex_);
            while (wire::nextFrame(rest, largestFrame, frame) == wire::Walk::frame) {
                take(frame);
                rest.remove_prefix(frame.whole.size());
            }
            changed_.notify_all();
        }
        buffer.erase(0, buffer.size() - rest.size());
        if (!readMore(buffer)) return;
    }
}

void Collector::take(const wire::FrameView& frame) {
    if (frame.type == wire::FrameType::synced) ready_ = true;
    if (frame.type == wire::FrameType::gap) lostAtHome_ += wire::readGap(frame).value().count;
    if (frame.type == wire::FrameType::event) takeEvent(wire::readEvent(frame).value());
}

void Collector::takeEvent(const wire::EventView& event) {
    if (event.name == gapEvent) return takeGap(event);
    const bool fence = event.name.ends_with(fenceSuffix);
    const auto stream = event.name.substr(0, event.name.size() - (fence ? fenceSuffix.size() : 0));
    const auto found = streams_.find(stream);
    if (found == streams_.end()) {
        if (!stream.starts_with("nc-")) ++strange_;
        return;
    }
    Heardof& heard = found->second;
    if (fence) return takeFence(heard, event);
    std::uint64_t number = 0;
    if (!isWhole(event.payload, number)) {
        ++heard.wrong;
        return;
    }
    if (heard.received++ == 0) heard.first = number;
    if (number < heard.next) {
        ++heard.repeated;
        return;
    }
    if (number > heard.next) {
        ++heard.holes;
        heard.missing += number - heard.next;
        if (heard.told == 0) ++heard.untold;
    }
    heard.told = 0;
    heard.next = number + 1;
}

void Collector::takeGap(const wire::EventView& event) {
    const auto found = streams_.find(std::string(Json::parse(event.payload).at("host")));
    if (found != streams_.end()) ++found->second.told;
}

void Collector::takeFence(Heardof& heard, const wire::EventView& event) {
    std::uint64_t count = 0;
    std::from_chars(event.payload.data(), event.payload.data() + event.payload.size(), count);
    heard.fenced = std::max(heard.fenced, count);
    if (count <= heard.next) return;
    ++heard.holes;
    heard.missing += count - heard.next;
    if (heard.told == 0) ++heard.untold;
    heard.told = 0;
    heard.next = count;
}

Heardof Collector::of(const std::string& stream) const {
    const std::lock_guard lock(mutex_);
    return streams_.find(stream)->second;
}

std::uint64_t Collector::received() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto& [name, heard] : streams_) sum += heard.received;
    return sum;
}

std::uint64_t Collector::lostAtHome() const {
    const std::lock_guard lock(mutex_);
    return lostAtHome_;
}

std::uint64_t Collector::strange() const {
    const std::lock_guard lock(mutex_);
    return strange_;
}

bool Collector::waitFor(const std::string& stream, const std::function<bool(const Heardof&)>& done,
                        std::chrono::milliseconds time) const {
    std::unique_lock lock(mutex_);
    const Heardof& heard = streams_.find(stream)->second;
    changed_.wait_for(lock, time, [&] { return !ended_.empty() || done(heard); });
    if (!done(heard) && !ended_.empty()) throw Error("the collector has ended: " + ended_);
    return done(heard);
}

// -- waiting -----------------------------------------------------------------------------------

// Fences are repeated because any of them may be lost where losses are only reported.
void settle(Emitter& emitter, const std::vector<Collector*>& collectors) {
    constexpr std::chrono::milliseconds between{100};
    const auto until = Clock::now() + 6 * patience();
    for (const Collector* collector : collectors) {
        const auto done = [&](const Heardof& heard) { return heard.fenced >= emitter.emitted(); };
        do {
            if (Clock::now() > until) {
                std::ostringstream what;
                what << "of " << emitter.emitted() << " events of " << emitter.stream() << ": "
                     << collector->of(emitter.stream());
                throw Error(what.str());
            }
            emitter.fence();
        } while (!collector->waitFor(emitter.stream(), done, between));
    }
}

void await(const std::string& what, const std::function<bool()>& done) {
    constexpr std::chrono::milliseconds between{20};
    for (const auto until = Clock::now() + patience(); !done();) {
        if (Clock::now() > until) throw Error("never came: " + what);
        std::this_thread::sleep_for(between);
    }
}

}  // namespace netcluster::scenario
