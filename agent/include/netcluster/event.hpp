// What a listener is given. See agent.hpp for the whole picture.
#pragma once

#include <cstddef>
#include <memory>
#include <netcluster/export.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace netcluster {

using Json = nlohmann::json;
struct LocalEvent;

/// One event, as a listener sees it: a view, good until the listener returns. Copy what you keep.
/// Not to be shared with another thread while it is used (`data` parses on first use).
class NETCLUSTER_API Event {
  public:
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    std::string_view name() const { return name_; }

    /// The data. Text that came from another process is parsed when first asked for.
    /// Throws Error when that text is not JSON; the agent reports it and goes on.
    const Json& data() const { return value_ ? *value_ : parsed(); }
    /// The data as JSON text. For an event of this process it is made on first use.
    std::string_view text() const;

    /// True when the event carries opaque bytes (`emitBytes`); `data` is then
    /// {"$bytes": "<base64>"}, as clients of the JSON encoding see it.
    bool isBytes() const { return isBytes_; }
    std::span<const std::byte> bytes() const;

    std::string_view channel() const { return channel_; }  ///< where it was emitted
    /// uuid of the connection that emitted it; empty before the first connect of this process.
    const std::string& sender() const;
    std::string_view host() const { return host_; }  ///< origin host; empty for this host
    bool broadcast() const { return broadcast_; }
    bool fromThisProcess() const { return local_; }
    std::string_view to() const { return to_; }
    std::string_view id() const { return id_; }
    std::string_view replyTo() const { return replyTo_; }

  private:
    friend class EventAccess;  // how the library fills one in
    Event() = default;
    explicit Event(const LocalEvent& from);

    std::string_view name_, channel_, host_, to_, id_, replyTo_;
    std::string_view payload_;                    // from another process, or bytes
    const Json* value_ = nullptr;                 // from this process
    const unsigned char* senderBytes_ = nullptr;  // 16 of them, or none
    bool isBytes_ = false, broadcast_ = false, local_ = false;

    // Made when first asked for: most listeners do not ask, and an Event is made with every emit.
    struct Made {
        std::optional<Json> data;
        std::string text, sender;
    };
    Made& made() const;
    const Json& parsed() const;
    mutable std::unique_ptr<Made> made_;
};

}  // namespace netcluster
