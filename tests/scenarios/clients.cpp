#include "clients.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <netcluster/control.hpp>

#include "harness.hpp"
#include "json_scan.hpp"

namespace netcluster::scenario {
namespace {

std::string jsonText(std::string_view text) {
    std::string out;
    wire::appendQuoted(out, text);
    return out;
}

// What happens on the link and among nodes is told to all clients of control.
bool isNotice(const std::string& event) {
    return event == control::hostOnline || event == control::hostExpired ||
           event == control::hostsKnown || event == control::netGap ||
           event == control::nodeOnline || event == control::nodeChanged ||
           event == control::nodeExpired || event == control::nodeStats;
}

constexpr std::size_t largestFrame = std::size_t{80} << 20;

bool hungUp(int code) {
    return code == EPIPE || code == ECONNRESET;
}

// The members that readPacket leaves to the daemon.
void readStamps(std::string_view text, Heard& heard) {
    wire::ObjectScanner members(text, wire::maxDataDepth);
    while (members.next()) {
        const std::string_view key = members.key();
        if (key == "channel") heard.channel = wire::unescape(members.value());
        if (key == "emmiteruuid") heard.sender = wire::unescape(members.value());
        if (key == "host") heard.host = wire::unescape(members.value());
    }
}

Heard heardEvent(const wire::EventView& event) {
    Heard heard;
    heard.event = event.name;
    heard.data = event.payload;
    heard.bytes = event.bytes();
    heard.broadcast = event.broadcast();
    heard.remote = (event.flags & wire::remoteFlag) != 0;
    heard.channel = event.channel;
    heard.sender = wire::uuidText(event.sender);
    heard.host = event.host;
    heard.to = event.to;
    heard.id = event.id;
    heard.replyTo = event.replyTo;
    return heard;
}

template <typename Value>
Value must(std::optional<Value> value, const char* what) {
    if (!value) throw Error(std::string("the daemon sent a malformed ") + what);
    return std::move(*value);
}

}  // namespace

// -- Connection --------------------------------------------------------------------------------

Connection::Connection(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw Error(path + ": too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0 ||
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const std::string why = std::strerror(errno);
        close();
        throw Error(path + ": " + why);
    }
}

Connection::~Connection() {
    close();
}

void Connection::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

void Connection::finishSending() {
    shutdown(descriptor_, SHUT_WR);
}

void Connection::await(short what) const {
    pollfd waiting{descriptor_, what, 0};
    const auto until = Clock::now() + patience();
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0) {
            throw Error(what == POLLIN ? "nothing came from the daemon"
                                       : "the daemon takes nothing");
        }
        if (poll(&waiting, 1, static_cast<int>(left.count())) > 0) return;
    }
}

std::size_t Connection::sendSome(std::string_view bytes) {
    const ssize_t count =
        ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

bool Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count =
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN || errno == EINTR) {
            await(POLLOUT);
        } else if (hungUp(errno)) {
            return false;
        } else {
            throw Error(std::string("send: ") + std::strerror(errno));
        }
    }
    return true;
}

bool Connection::receive(std::string& buffer, std::size_t atMost) {
    const std::size_t had = buffer.size();
    for (;;) {
        await(POLLIN);
        buffer.resize(had + atMost);
        const ssize_t count = recv(descriptor_, buffer.data() + had, atMost, MSG_DONTWAIT);
        const int code = errno;
        buffer.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        if (count > 0) return true;
        if (count == 0 || hungUp(code)) return false;
        if (code != EAGAIN && code != EINTR)
            throw Error(std::string("recv: ") + std::strerror(code));
    }
}

bool Connection::readable(std::chrono::milliseconds time) const {
    pollfd waiting{descriptor_, POLLIN, 0};
    return poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

std::string Connection::receiveAll() {
    std::string all;
    while (receive(all)) {
    }
    return all;
}

// -- Client ------------------------------------------------------------------------------------

std::ostream& operator<<(std::ostream& out, const Heard& heard) {
    static constexpr const char* kinds[] = {"event", "gap", "refused", "end"};
    return out << kinds[static_cast<int>(heard.kind)] << " \"" << heard.event << "\" "
               << heard.data.substr(0, 200) << " on " << heard.channel;
}

Heard Client::nextEvent() {
    Heard heard = next();
    if (heard.kind == Heard::Kind::event) return heard;
    throw Error("not an event came but " + std::to_string(static_cast<int>(heard.kind)) + ": " +
                heard.data);
}

std::vector<std::string> Client::eventsUntil(const std::string& fence) {
    std::vector<std::string> names;
    for (;;) {
        const Heard heard = nextEvent();
        if (heard.event == fence) return names;
        names.push_back(heard.event);
    }
}

std::string Client::reasonOfEnd() {
    std::string reason;
    for (;;) {
        const Heard heard = next();
        if (heard.kind == Heard::Kind::end) return heard.data.empty() ? reason : heard.data;
        if (heard.event == "nc-error") reason = nlohmann::json::parse(heard.data).at("error");
    }
}

// -- JsonClient --------------------------------------------------------------------------------

void JsonClient::emit(const std::string& event, const std::string& data, const EmitWith& how) {
    std::string text = "{\"event\":" + jsonText(event) + ",\"data\":" + data +
                       ",\"broadcast\":" + (how.broadcast ? "true" : "false");
    if (!how.to.empty()) text += ",\"to\":" + jsonText(how.to);
    if (!how.id.empty()) text += ",\"id\":" + jsonText(how.id);
    if (!how.replyTo.empty()) text += ",\"replyto\":" + jsonText(how.replyTo);
    text += '}';
    text += '\0';
    if (!connection_.send(text)) throw Error("the daemon has hung up");
}

std::optional<std::string> JsonClient::nextText() {
    for (;;) {
        const std::size_t end = buffer_.find('\0', searched_);
        if (end != std::string::npos) {
            std::string text = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            searched_ = 0;
            return text;
        }
        searched_ = buffer_.size();
        if (connection_.receive(buffer_)) continue;
        if (!buffer_.empty()) throw Error("the connection ended within a packet: " + buffer_);
        return {};
    }
}

Heard JsonClient::next() {
    const auto text = nextText();
    Heard heard;
    if (!text) {
        heard.kind = Heard::Kind::end;
        return heard;
    }
    const wire::PacketResult result = wire::readPacket(*text);
    if (!result.packet) throw Error("not a packet (" + result.error + "): " + *text);
    heard.event = result.packet->event;
    heard.data = result.packet->data;
    heard.broadcast = result.packet->broadcast;
    heard.to = result.packet->to;
    heard.id = result.packet->id;
    heard.replyTo = result.packet->replyTo;
    readStamps(*text, heard);
    if (heard.event == "nc-gap") {
        const auto gap = nlohmann::json::parse(heard.data);
        heard.kind = Heard::Kind::gap;
        heard.gap = {gap.at("count"), gap.at("first"), gap.at("last")};
    }
    return heard;
}

nlohmann::json JsonClient::askWhole(const std::string& command, const nlohmann::json& data,
                                    const std::string& id) {
    emit("nc-control-" + command, data.dump(), EmitWith{.id = id});
    for (;;) {
        const auto text = nextText();
        if (!text) throw Error("no answer to " + command);
        auto packet = nlohmann::json::parse(*text);
        if (!isNotice(packet.at("event").get<std::string>())) return packet;
    }
}

nlohmann::json JsonClient::ask(const std::string& command, const nlohmann::json& data) {
    nlohmann::json answer = askWhole(command, data);
    if (answer.at("event") != "nc-control-" + command + "-response") {
        throw Error("asked " + command + ", answered " + answer.dump());
    }
    return answer.at("data");
}

// -- BinaryClient ------------------------------------------------------------------------------

BinaryClient::BinaryClient(const std::string& path, const std::vector<std::string>& patterns,
                           std::uint32_t capabilities)
    : Client(path) {
    connection_.send(greeting({.capabilities = capabilities, .agent = "scenario"}));
    awaitWelcome();
    for (const std::string& pattern : patterns) subscribe(pattern);
    sync();
}

// JSON packets may come before the welcome: until the hello we were a 1.x client.
void BinaryClient::awaitWelcome() {
    while (buffer_.empty() || buffer_.front() != wire::preface.front()) {
        const std::size_t end = buffer_.find('\0');
        if (end != std::string::npos) {
            buffer_.erase(0, end + 1);
        } else if (!connection_.receive(buffer_)) {
            throw Error("no welcome");
        }
    }
    while (buffer_.size() < wire::preface.size()) connection_.receive(buffer_);
    if (!buffer_.starts_with(wire::preface)) throw Error("no preface");
    buffer_.erase(0, wire::preface.size());
    while (welcome_.channel.empty()) {
        if (auto heard = readFrame()) {
            if (heard->kind == Heard::Kind::end) throw Error("no welcome: " + heard->data);
            inbox_.push_back(std::move(*heard));
        }
    }
    channel_ = welcome_.channel;
}

bool BinaryClient::awaitFrame(wire::FrameView& frame) {
    for (;;) {
        const std::string_view rest = std::string_view(buffer_).substr(used_);
        const wire::Walk walk = wire::nextFrame(rest, largestFrame, frame);
        if (walk == wire::Walk::malformed) throw Error("the daemon sent a malformed frame");
        if (walk == wire::Walk::frame) break;
        buffer_.erase(0, used_);
        used_ = 0;
        if (connection_.receive(buffer_)) continue;
        if (!buffer_.empty()) throw Error("the connection ended within a frame");
        return false;
    }
    used_ += frame.whole.size();
    return true;
}

// Nothing when the frame was an answer that `sync` or the constructor waits for.
std::optional<Heard> BinaryClient::readFrame() {
    Heard heard;
    wire::FrameView frame;
    if (!awaitFrame(frame)) {
        heard.kind = Heard::Kind::end;
        return heard;
    }
    switch (frame.type) {
        case wire::FrameType::event:
            return heardEvent(must(wire::readEvent(frame), "event"));
        case wire::FrameType::gap:
            heard.kind = Heard::Kind::gap;
            heard.gap = must(wire::readGap(frame), "gap");
            return heard;
        case wire::FrameType::refused: {
            const auto refusal = must(wire::readRefused(frame), "refusal");
            heard.kind = Heard::Kind::refused;
            heard.data = refusal.reason;
            heard.id = std::to_string(refusal.id);
            return heard;
        }
        case wire::FrameType::goodbye:
            heard.kind = Heard::Kind::end;
            heard.data = wire::readGoodbye(frame);
            return heard;
        case wire::FrameType::synced:
            synced_ = must(wire::readSync(frame), "synced");
            return {};
        case wire::FrameType::welcome:
            welcome_ = must(wire::readWelcome(frame), "welcome");
            return {};
        default:
            throw Error("the daemon sent a frame of type " +
                        std::to_string(static_cast<int>(frame.type)));
    }
}

Heard BinaryClient::next() {
    while (inbox_.empty()) {
        if (auto heard = readFrame()) return std::move(*heard);
    }
    Heard heard = std::move(inbox_.front());
    inbox_.pop_front();
    return heard;
}

void BinaryClient::sync() {
    std::string bytes;
    wire::appendSync(bytes, wire::FrameType::sync, ++lastSync_);
    if (!connection_.send(bytes)) throw Error("the daemon has hung up");
    while (synced_ != lastSync_) {
        auto heard = readFrame();
        if (!heard) continue;
        if (heard->kind == Heard::Kind::end) throw Error("the daemon has hung up: " + heard->data);
        inbox_.push_back(std::move(*heard));
    }
}

std::uint32_t BinaryClient::subscribe(const std::string& pattern) {
    std::string bytes;
    wire::appendSubscribe(bytes, {++lastSubscription_, pattern});
    connection_.send(bytes);
    return lastSubscription_;
}

void BinaryClient::unsubscribe(std::uint32_t id) {
    std::string bytes;
    wire::appendUnsubscribe(bytes, id);
    connection_.send(bytes);
}

void BinaryClient::emit(const std::string& event, const std::string& data, const EmitWith& how) {
    wire::EventView view;
    view.flags = static_cast<std::uint8_t>((how.broadcast ? wire::broadcastFlag : 0) |
                                           (how.bytes ? wire::bytesFlag : 0) |
                                           (how.hostOnly ? wire::hostOnlyFlag : 0));
    view.name = event;
    view.channel = channel_;
    view.to = how.to;
    view.id = how.id;
    view.replyTo = how.replyTo;
    view.payload = data;
    std::string bytes;
    wire::appendEvent(bytes, view);
    if (!connection_.send(bytes)) throw Error("the daemon has hung up");
}

// Connections are accepted in their order, so one that was welcomed later tells that we are known.
JsonListener::JsonListener(const std::string& path) : JsonClient(path) {
    const BinaryClient later(path, {});
}

// -- small things ------------------------------------------------------------------------------

std::string_view nameOf(Encoding encoding) {
    return encoding == Encoding::json ? "json" : "binary";
}

std::unique_ptr<Client> connect(Encoding encoding, const std::string& path) {
    if (encoding == Encoding::json) return std::make_unique<JsonListener>(path);
    return std::make_unique<BinaryClient>(path);
}

std::string packetText(const std::string& event, const std::string& data, bool broadcast) {
    std::string text = "{\"event\":" + jsonText(event) + ",\"data\":" + data +
                       ",\"channel\":\"A\",\"broadcast\":" + (broadcast ? "true" : "false") + "}";
    text += '\0';
    return text;
}

std::string greeting(const wire::Hello& hello) {
    std::string bytes{wire::preface};
    wire::appendHello(bytes, hello);
    return bytes;
}

}  // namespace netcluster::scenario
