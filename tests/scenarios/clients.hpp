// Raw clients of a channel's socket, in both encodings: no agent library, so that they can say what
// an honest agent never would. Every wait has a deadline; running into it throws.
#pragma once

#include <chrono>
#include <deque>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "frame.hpp"
#include "packet.hpp"

namespace netcluster::scenario {

/// Bytes over a Unix socket.
class Connection {
  public:
    explicit Connection(const std::string& path);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Everything; false when the daemon has hung up. Throws when it takes nothing for too long.
    bool send(std::string_view bytes);
    /// What the kernel takes without waiting.
    std::size_t sendSome(std::string_view bytes);
    /// Appends some of what arrives to `buffer`; false when the daemon has hung up.
    bool receive(std::string& buffer, std::size_t atMost = 65536);
    /// Waits so long at most for something to receive, be it the end.
    bool readable(std::chrono::milliseconds time) const;
    /// Waits for the end; what came before it.
    std::string receiveAll();
    void finishSending();
    void close();
    bool open() const { return descriptor_ >= 0; }

  private:
    void await(short what) const;
    int descriptor_ = -1;
};

struct EmitWith {
    bool broadcast = false;
    bool bytes = false;     ///< binary clients only
    bool hostOnly = false;  ///< binary clients only
    std::string to{};
    std::string id{};
    std::string replyTo{};
};

/// Something a client was told.
struct Heard {
    enum class Kind { event, gap, refused, end };
    Kind kind = Kind::event;
    std::string event{};
    std::string data{};  ///< JSON text, or bytes; the reason of a refusal or a goodbye
    bool bytes = false;
    bool broadcast = false;
    bool remote = false;  ///< binary clients only
    std::string channel{};
    std::string sender{};  ///< uuid as text
    std::string host{};
    std::string to{};
    std::string id{};
    std::string replyTo{};
    wire::Gap gap{};
};
std::ostream& operator<<(std::ostream& out, const Heard& heard);

/// What both kinds have in common.
class Client {
  public:
    virtual ~Client() = default;
    virtual void emit(const std::string& event, const std::string& data, const EmitWith& how) = 0;
    void emit(const std::string& event, const std::string& data = "null") {
        emit(event, data, EmitWith{});
    }
    void broadcast(const std::string& event, const std::string& data = "null") {
        emit(event, data, EmitWith{.broadcast = true});
    }
    /// What comes next; `end` when the daemon has hung up.
    virtual Heard next() = 0;
    /// Like next, but must be an event.
    Heard nextEvent();
    /// The names of the events up to `fence`, which is not among them.
    std::vector<std::string> eventsUntil(const std::string& fence);
    /// Waits for the end; the reason the daemon gave.
    std::string reasonOfEnd();

    Connection& connection() { return connection_; }

  protected:
    explicit Client(const std::string& path) : connection_(path) {}
    Connection connection_;
    std::string buffer_;
};

class JsonClient : public Client {
  public:
    explicit JsonClient(const std::string& path) : Client(path) {}
    using Client::emit;
    void emit(const std::string& event, const std::string& data, const EmitWith& how) override;
    Heard next() override;
    /// The next packet as it came, without its NUL; nothing at the end.
    std::optional<std::string> nextText();
    /// Asks on control; the data of the answer, or the packet itself. Notices of the link that come
    /// before it are skipped.
    nlohmann::json ask(const std::string& command, const nlohmann::json& data = nullptr);
    nlohmann::json askWhole(const std::string& command, const nlohmann::json& data,
                            const std::string& id = "");

  private:
    std::size_t searched_ = 0;
};

class BinaryClient final : public Client {
  public:
    /// Says hello, subscribes and waits until the daemon has taken it.
    explicit BinaryClient(const std::string& path,
                          const std::vector<std::string>& patterns = {".*"},
                          std::uint32_t capabilities = 0);
    using Client::emit;
    void emit(const std::string& event, const std::string& data, const EmitWith& how) override;
    Heard next() override;
    /// Returns when the daemon has taken all that was sent before.
    void sync();
    /// Ids count from 1, in the order of subscribing.
    std::uint32_t subscribe(const std::string& pattern);
    void unsubscribe(std::uint32_t id);

    const wire::Welcome& welcome() const { return welcome_; }
    std::string uuid() const { return wire::uuidText(welcome_.client); }

  private:
    bool awaitFrame(wire::FrameView& frame);
    std::optional<Heard> readFrame();
    void awaitWelcome();

    wire::Welcome welcome_;
    std::string channel_;
    std::deque<Heard> inbox_;  // came while waiting for something else
    std::optional<std::uint64_t> synced_;
    std::uint64_t lastSync_ = 0;
    std::uint32_t lastSubscription_ = 0;
    std::size_t used_ = 0;  // bytes of buffer_ done with
};

/// A JSON client that the daemon knows of: it hears whatever is emitted from now on. (The encoding
/// has no welcome to wait for; a plain JsonClient may be waiting to be accepted.)
class JsonListener final : public JsonClient {
  public:
    explicit JsonListener(const std::string& path);
};

enum class Encoding { json, binary };
inline constexpr Encoding bothEncodings[] = {Encoding::json, Encoding::binary};
std::string_view nameOf(Encoding encoding);
std::unique_ptr<Client> connect(Encoding encoding, const std::string& path);

/// A packet as a 1.x agent writes it, with its NUL.
std::string packetText(const std::string& event, const std::string& data = "null",
                       bool broadcast = false);
/// Preface and hello.
std::string greeting(const wire::Hello& hello = {.agent = "scenario"});

}  // namespace netcluster::scenario
