// Sends answers of tasks: in one event, or in pieces, no faster than the daemon takes them. Owned
// by a TaskRunner. Any thread; what has to wait goes on where the agent's callbacks run.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <netcluster/agent.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gate.hpp"
#include "pieces.hpp"

namespace netcluster::tasks {

/// Bytes of pieces that are on their way to the daemon at once. Reason: a quarter of the queue an
/// agent has by default, so that its other events find room.
inline constexpr std::size_t pieceWindow = std::size_t{2} << 20;
/// Bytes of results that wait to be sent. Reached: further ones fail.
inline constexpr std::size_t maxWaiting = 2 * maxResult;

/// Where an answer goes.
struct ReplyAddress {
    std::string event{};  ///< its name
    std::string to{};
    std::string id{};
    std::string node{};  ///< whose answer it is
    bool here = false;   ///< the caller is in this process
};

class AnswerSender : public std::enable_shared_from_this<AnswerSender> {
  public:
    /// Uses the agent inside of the gate alone.
    AnswerSender(Agent& agent, std::shared_ptr<Gate> gate)
        : agent_(agent), gate_(std::move(gate)) {}

    // These are called inside of the gate.
    void result(const ReplyAddress& address, const Json& result);
    void failed(const ReplyAddress& address, std::string_view why);
    void unknown(const ReplyAddress& address, std::string_view name);

  private:
    struct Parcel {
        ReplyAddress address;
        std::string text;                      // of the result; or
        Json whole;                            // the data of the only event
        std::vector<std::string_view> pieces;  // of the text
        std::size_t next = 0;
        std::size_t refusals = 0;  // in a row
    };
    enum class Sent { whole, someMore, windowFull, queueFull, never };

    Emitted emit(const ReplyAddress& address, const Json& data);
    void small(const ReplyAddress& address, const Json& data);
    void keep(Parcel parcel);
    void pump();
    bool pumpOne(Parcel& parcel, std::size_t& window);
    Sent sendNext(Parcel& parcel, std::size_t& window);
    bool smaller(Parcel& parcel);
    void giveUp(const Parcel& parcel, std::string_view why);
    void goOnLater();
    void resume(const std::string& error);

    Agent& agent_;
    const std::shared_ptr<Gate> gate_;
    std::mutex mutex_;            // of the next three; never held while the agent is called
    std::deque<Parcel> waiting_;  // the front belongs to whoever pumps
    std::size_t waitingBytes_ = 0;
    bool pumping_ = false;
    std::size_t limit_ = pieceSize;  // whoever pumps
};

}  // namespace netcluster::tasks
