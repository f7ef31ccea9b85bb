#include "frame.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "little_endian.hpp"

namespace netcluster::wire {
namespace {

// Takes values off the front of a body; `good` turns false at the first overrun and stays so.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <typename Integer>
    Integer integer() {
        const std::string_view bytes = take(sizeof(Integer));
        return good_ ? loadLittle<Integer>(bytes.data()) : Integer{};
    }

    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            good_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    Uuid uuid() {
        Uuid value{};
        const std::string_view bytes = take(value.size());
        if (good_) std::memcpy(value.data(), bytes.data(), value.size());
        return value;
    }

    std::string_view rest() { return take(rest_.size()); }
    bool good() const { return good_; }
    bool done() const { return good_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool good_ = true;
};

// Writes a frame's header now and its length when it goes out of scope.
class FrameWriter {
  public:
    FrameWriter(std::string& out, FrameType type, std::uint8_t flags = 0, std::uint8_t first = 0,
                std::uint8_t second = 0)
        : out_(out), start_(out.size()) {
        integer(std::uint32_t{0});
        integer(static_cast<std::uint8_t>(type));
        integer(flags);
        integer(first);
        integer(second);
    }
    ~FrameWriter() {
        storeLittle(out_.data() + start_,
                    static_cast<std::uint32_t>(out_.size() - start_ - sizeof(std::uint32_t)));
    }
    FrameWriter(const FrameWriter&) = delete;
    FrameWriter& operator=(const FrameWriter&) = delete;

    template <typename Integer>
    void integer(Integer value) {
        char bytes[sizeof(Integer)];
        storeLittle(bytes, value);
        out_.append(bytes, sizeof(Integer));
    }
    void text(std::string_view text) { out_.append(text); }
    void shortText(std::string_view text) {
        text = text.substr(0, 255);
        integer(static_cast<std::uint8_t>(text.size()));
        out_.append(text);
    }
    void uuid(const Uuid& value) {
        for (const std::uint8_t byte : value) out_ += static_cast<char>(byte);
    }

  private:
    std::string& out_;
    std::size_t start_;
};

std::size_t extensionSize(std::string_view value) {
    return value.empty() ? 0 : 3 + value.size();
}

void appendExtension(std::string& out, Extension tag, std::string_view value) {
    if (value.empty()) return;
    char head[3] = {static_cast<char>(tag)};
    storeLittle(head + 1, static_cast<std::uint16_t>(value.size()));
    out.append(head, sizeof head);
    out.append(value);
}

bool readExtensions(std::string_view bytes, EventView& event) {
    Reader reader(bytes);
    while (reader.good() && !reader.done()) {
        const auto tag = reader.integer<std::uint8_t>();
        const auto length = reader.integer<std::uint16_t>();
        const std::string_view value = reader.take(length);
        switch (static_cast<Extension>(tag)) {
            case Extension::host:
                event.host = value;
                break;
            case Extension::to:
                event.to = value;
                break;
            case Extension::id:
                event.id = value;
                break;
            case Extension::replyTo:
                event.replyTo = value;
                break;
            default:
                break;  // of a later version: skipped by length
        }
    }
    return reader.good();
}

}  // namespace

Walk nextFrame(std::string_view bytes, std::size_t maxFrame, FrameView& out, std::size_t* needed) {
    if (needed) *needed = frameHeader;
    if (bytes.size() < frameHeader) return Walk::incomplete;
    const std::size_t length = frameSize(bytes);
    const auto type = static_cast<FrameType>(bytes[4]);
    const std::size_t limit = type == FrameType::event ? maxFrame : maxSmallFrame;
    if (length < frameHeader || length > limit) return Walk::malformed;
    if (needed) *needed = length;
    if (bytes.size() < length) return Walk::incomplete;
    out.type = type;
    out.flags = static_cast<std::uint8_t>(bytes[5]);
    out.whole = bytes.substr(0, length);
    out.body = out.whole.substr(frameHeader);
    return Walk::frame;
}

std::optional<EventView> readEvent(const FrameView& frame) {
    if (frame.whole.size() < eventHeader) return {};
    const char* bytes = frame.whole.data();
    const auto nameLength = static_cast<std::uint8_t>(bytes[6]);
    const auto channelLength = static_cast<std::uint8_t>(bytes[7]);
    const auto extensionLength = loadLittle<std::uint16_t>(bytes + 24);
    const std::size_t fixed = eventHeader + nameLength + channelLength + extensionLength;
    if (extensionLength > maxExtensions || fixed > frame.whole.size()) return {};

    EventView event;
    event.flags = frame.flags;
    std::memcpy(event.sender.data(), bytes + frameHeader, event.sender.size());
    event.name = frame.whole.substr(eventHeader, nameLength);
    event.channel = frame.whole.substr(eventHeader + nameLength, channelLength);
    event.payload = frame.whole.substr(fixed);
    event.whole = frame.whole;
    if (extensionLength != 0 &&
        !readExtensions(frame.whole.substr(fixed - extensionLength, extensionLength), event)) {
        return {};
    }
    return event;
}

EventView EventRun::event(std::string_view frame) const {
    EventView event = first;
    event.whole = frame;
    std::memcpy(event.sender.data(), frame.data() + frameHeader, event.sender.size());
    event.payload = frame.substr(first.whole.size() - first.payload.size());
    return event;
}

EventRun readRun(const EventView& first, std::string_view bytes, std::size_t maxPayload) {
    constexpr std::size_t afterLength = 4;                          // type, flags, two lengths
    constexpr std::size_t extensions = frameHeader + sizeof(Uuid);  // their length
    EventRun run(first);
    const char* pattern = first.whole.data();
    if (loadLittle<std::uint16_t>(pattern + extensions) != 0) return run;
    const std::size_t names = first.name.size() + first.channel.size();
    std::string_view rest = bytes.substr(first.whole.size());
    while (rest.size() >= eventHeader + names) {
        const std::size_t size = frameSize(rest);
        const char* next = rest.data();
        if (size > rest.size() || size < eventHeader + names ||
            size - eventHeader - names > maxPayload ||
            std::memcmp(next + afterLength, pattern + afterLength, 4) != 0 ||
            loadLittle<std::uint16_t>(next + extensions) != 0 ||
            std::memcmp(next + eventHeader, pattern + eventHeader, names) != 0) {
            break;
        }
        rest.remove_prefix(size);
        ++run.count;
    }
    run.frames = bytes.substr(0, bytes.size() - rest.size());
    return run;
}

std::string_view firstFrames(std::string_view frames, std::size_t count) {
    std::string_view rest = frames;
    while (count-- != 0 && !rest.empty()) rest.remove_prefix(frameSize(rest));
    return frames.substr(0, frames.size() - rest.size());
}

EventView withoutBroadcast(const EventView& event) {
    EventView plain = event;
    plain.flags = static_cast<std::uint8_t>(event.flags & ~broadcastFlag);
    // The frame lies in a buffer of whoever reads it, as with stampSender.
    const_cast<char*>(event.whole.data())[5] = static_cast<char>(plain.flags);
    return plain;
}

void stampSender(std::string_view frames, const Uuid& sender) {
    forEachFrame(frames, [&](std::string_view frame) {
        std::memcpy(const_cast<char*>(frame.data()) + frameHeader, sender.data(), sender.size());
    });
}

std::optional<Hello> readHello(const FrameView& frame) {
    Reader reader(frame.body);
    Hello hello;
    hello.minVersion = reader.integer<std::uint16_t>();
    hello.maxVersion = reader.integer<std::uint16_t>();
    hello.capabilities = reader.integer<std::uint32_t>();
    hello.agent = reader.take(reader.integer<std::uint8_t>());
    if (!reader.good() || !validUtf8(hello.agent)) return {};
    return hello;
}

std::optional<Welcome> readWelcome(const FrameView& frame) {
    Reader reader(frame.body);
    Welcome welcome;
    welcome.version = reader.integer<std::uint16_t>();
    reader.integer<std::uint16_t>();
    welcome.capabilities = reader.integer<std::uint32_t>();
    welcome.maxEvent = reader.integer<std::uint32_t>();
    welcome.client = reader.uuid();
    welcome.channel = reader.take(reader.integer<std::uint8_t>());
    welcome.host = reader.take(reader.integer<std::uint8_t>());
    if (!reader.good()) return {};
    return welcome;
}

std::optional<Subscription> readSubscribe(const FrameView& frame) {
    Reader reader(frame.body);
    Subscription subscription;
    subscription.id = reader.integer<std::uint32_t>();
    subscription.pattern = reader.rest();
    if (!reader.good()) return {};
    return subscription;
}

std::optional<std::uint32_t> readUnsubscribe(const FrameView& frame) {
    Reader reader(frame.body);
    const auto id = reader.integer<std::uint32_t>();
    if (!reader.done()) return {};
    return id;
}

std::optional<std::uint64_t> readSync(const FrameView& frame) {
    Reader reader(frame.body);
    const auto token = reader.integer<std::uint64_t>();
    if (!reader.done()) return {};
    return token;
}

std::optional<Gap> readGap(const FrameView& frame) {
    Reader reader(frame.body);
    Gap gap;
    gap.count = reader.integer<std::uint64_t>();
    gap.first = reader.integer<std::uint64_t>();
    gap.last = reader.integer<std::uint64_t>();
    if (!reader.done()) return {};
    return gap;
}

std::optional<Refusal> readRefused(const FrameView& frame) {
    Reader reader(frame.body);
    Refusal refusal;
    refusal.id = reader.integer<std::uint32_t>();
    refusal.reason = reader.rest();
    if (!reader.good()) return {};
    return refusal;
}

std::string_view readGoodbye(const FrameView& frame) {
    return frame.body;
}

std::optional<Unwanted> readUnwanted(const FrameView& frame) {
    Reader reader(frame.body);
    Unwanted unwanted;
    unwanted.flags = frame.flags;
    unwanted.generation = reader.integer<std::uint64_t>();
    unwanted.name = reader.rest();
    if (!reader.good()) return {};
    return unwanted;
}

// Written with as few calls as can be: this is where every event that leaves a process begins.
void appendEvent(std::string& out, const EventView& event) {
    assert(event.name.size() <= maxEventName && event.channel.size() <= maxChannelName);
    const std::size_t extensions = extensionSize(event.host) + extensionSize(event.to) +
                                   extensionSize(event.id) + extensionSize(event.replyTo);
    const std::size_t size =
        eventHeader + event.name.size() + event.channel.size() + extensions + event.payload.size();
    char head[eventHeader] = {};
    storeLittle(head, static_cast<std::uint32_t>(size - sizeof(std::uint32_t)));
    head[4] = static_cast<char>(FrameType::event);
    head[5] = static_cast<char>(event.flags);
    head[6] = static_cast<char>(event.name.size());
    head[7] = static_cast<char>(event.channel.size());
    std::memcpy(head + frameHeader, event.sender.data(), event.sender.size());
    storeLittle(head + frameHeader + sizeof(Uuid), static_cast<std::uint16_t>(extensions));
    out.append(head, sizeof head).append(event.name).append(event.channel);
    if (extensions != 0) {
        appendExtension(out, Extension::host, event.host);
        appendExtension(out, Extension::to, event.to);
        appendExtension(out, Extension::id, event.id);
        appendExtension(out, Extension::replyTo, event.replyTo);
    }
    out.append(event.payload);
}

void appendHello(std::string& out, const Hello& hello) {
    FrameWriter frame(out, FrameType::hello);
    frame.integer(hello.minVersion);
    frame.integer(hello.maxVersion);
    frame.integer(hello.capabilities);
    frame.shortText(hello.agent);
}

void appendWelcome(std::string& out, const Welcome& welcome) {
    FrameWriter frame(out, FrameType::welcome);
    frame.integer(welcome.version);
    frame.integer(std::uint16_t{0});
    frame.integer(welcome.capabilities);
    frame.integer(welcome.maxEvent);
    frame.uuid(welcome.client);
    frame.shortText(welcome.channel);
    frame.shortText(welcome.host);
}

void appendSubscribe(std::string& out, const Subscription& subscription) {
    FrameWriter frame(out, FrameType::subscribe);
    frame.integer(subscription.id);
    frame.text(subscription.pattern);
}

void appendUnsubscribe(std::string& out, std::uint32_t id) {
    FrameWriter frame(out, FrameType::unsubscribe);
    frame.integer(id);
}

void appendSync(std::string& out, FrameType syncOrSynced, std::uint64_t token) {
    FrameWriter frame(out, syncOrSynced);
    frame.integer(token);
}

void appendGap(std::string& out, const Gap& gap) {
    FrameWriter frame(out, FrameType::gap);
    frame.integer(gap.count);
    frame.integer(gap.first);
    frame.integer(gap.last);
}

void appendRefused(std::string& out, const Refusal& refusal) {
    FrameWriter frame(out, FrameType::refused);
    frame.integer(refusal.id);
    frame.text(refusal.reason.substr(0, maxSmallFrame - frameHeader - 4));
}

void appendGoodbye(std::string& out, std::string_view reason) {
    FrameWriter frame(out, FrameType::goodbye);
    frame.text(reason.substr(0, maxSmallFrame - frameHeader));
}

void appendUnwanted(std::string& out, const Unwanted& unwanted) {
    FrameWriter frame(out, FrameType::unwanted, unwanted.flags);
    frame.integer(unwanted.generation);
    frame.text(unwanted.name);
}

}  // namespace netcluster::wire
