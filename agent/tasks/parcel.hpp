// An answer on its way that is too large for one event, or found no room in the queue: what goes
// next, and when. A value; pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <netcluster/event.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pieces.hpp"

namespace netcluster::tasks {

/// Where an answer goes.
struct ReplyAddress {
    std::string event{};  ///< its name
    std::string to{};
    std::string id{};
    std::string node{};  ///< whose answer it is
    bool here = false;   ///< the caller is in this process
};

class Parcel {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// How long a caller may take to say something of the first pieces before it counts as one that
    /// never does, and the pace for those. When one that speaks says nothing for as long, it gets
    /// one piece more.
    static constexpr std::chrono::milliseconds firstWord{1000};
    static constexpr std::chrono::milliseconds slowPace{50};
    /// When a queue was full.
    static constexpr std::chrono::milliseconds tryAgain{5};
    /// A queue without room for so long counts as one that has none for so large a piece. Reason: a
    /// full one is emptied within that, by a daemon that works, and small pieces are slow.
    static constexpr std::chrono::milliseconds roomTime{1000};
    /// Without any progress, from when its turn came, it is given up: the caller is gone. Of one
    /// that speaks its words are progress, else the pieces that are sent.
    static constexpr std::chrono::seconds longest{60};

    static Parcel ofText(ReplyAddress address, std::string text);
    static Parcel ofData(ReplyAddress address, Json data);

    const ReplyAddress& address() const { return address_; }
    std::size_t size() const { return (text_ ? text_->size() : 0) + address_.id.size() + 256; }

    /// Its turn has come: those before it for the same caller are out, or given up. Saying so
    /// again changes nothing.
    void begin(Time now);
    /// The data of what is to be emitted next.
    Json next();
    /// It was taken.
    void sent(Time now);
    /// The caller has that piece, and those before it, and takes so many more (0: as before).
    void heard(std::size_t part, std::size_t window, Time now);
    /// The daemon takes no event so large: cuts it smaller. False when that cannot be, for some of
    /// it is out, or it is small already.
    bool cutSmaller();
    /// The queue, of `queueLimit` bytes, had no room. What never will have any is cut smaller: what
    /// is larger than the queue, or found no room for a while (its frame counts as well).
    void noRoom(std::size_t queueLimit, Time now);
    bool whole() const { return next_ == count(); }
    /// Something may be emitted now.
    bool mayGo(Time now) const { return now >= due(); }
    /// When something may be, if the caller says nothing.
    Time due() const;
    bool givenUp(Time now) const { return progress_ && now - *progress_ >= longest; }

  private:
    std::size_t count() const;

    ReplyAddress address_;
    std::unique_ptr<const std::string> text_;  // of the result; or
    Json data_;                                // of the only event
    std::vector<std::string_view> pieces_;     // of the text, which stays where it is
    std::size_t limit_ = pieceSize;
    std::size_t next_ = 0;
    std::size_t heard_ = 0;  // pieces
    std::size_t window_ = fewUnheard;
    bool speaks_ = false;  // the caller
    Time lastSent_{};
    std::optional<Time> progress_{};  // none: its turn has not come
    std::optional<Time> noRoomSince_{};
};

}  // namespace netcluster::tasks
