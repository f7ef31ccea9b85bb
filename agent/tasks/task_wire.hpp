// Tasks and answers as events: their names and their data, read and written. Pure.
// docs/cluster-guide.md draws them.
#pragma once

#include <cstdint>
#include <netcluster/event.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace netcluster::tasks {

/// What a Tasks listens to.
inline constexpr std::string_view taskPattern = "task(\\..*)?";
inline constexpr std::string_view replyPattern = "task-reply(\\..*)?";

/// Longest name of a function. Reason: it is a part of names of events, which are at most 255
/// bytes, and something may stand in front of it.
inline constexpr std::size_t maxName = 200;
/// Longest text of an error that is passed on; the rest is cut off. Reason: a reader's, not a log.
inline constexpr std::size_t maxErrorText = 4096;
/// Brackets within one another that a result may have. Reason: far more than anybody writes, and
/// what makes text of it may recurse.
inline constexpr int maxResultDepth = 256;

/// 1 to maxName bytes of UTF-8 without control characters.
bool validName(std::string_view name);
std::string taskEvent(std::string_view name);

/// A task as it came.
struct Asked {
    bool isTask = true;     ///< else an event that only looks like one: nobody is meant
    bool answered = false;  ///< somebody waits for an answer
    std::string name{};     ///< of the function
    Json data{};
    std::string replyEvent{};  ///< the name of the answer
    std::string problem{};     ///< what is wrong with it; empty: nothing
};
Asked readTask(const Event& event);

/// Whose answer a task-reply is and what it says.
struct Said {
    enum class What { result, failed, unknownFunction, piece, broken };
    What what = What::broken;
    std::string node{};  ///< empty: not even that can be read
    Json result{};
    std::string error{};
    std::uint64_t part = 0, parts = 0;  ///< of a piece
    std::string text{};                 ///< of a piece
};
Said readAnswer(const Json& data);

Json resultData(std::string_view node, const Json& result);
Json failedData(std::string_view node, std::string_view why);
Json unknownData(std::string_view node, std::string_view name);
Json pieceData(std::string_view node, std::size_t part, std::size_t parts, std::string_view text);

/// What a caller says to a node that sends it a result in pieces; it has the name of the task.
struct Progress {
    std::string id{};        ///< of the task
    std::string node{};      ///< whose result it is
    std::size_t part = 0;    ///< this piece has come, and those before it,
    std::size_t window = 0;  ///< and so many may follow until the next word; 0: unsaid; or
    bool enough = false;     ///< nobody waits for it any more
};
std::string progressEvent(std::string_view replyEvent);
Json progressData(const Progress& progress);
/// Nothing when the event is none: it may be a task for one client, so all members must be there.
std::optional<Progress> readProgress(const Event& event);

/// False when its JSON text has surely more bytes than that; else it may have a little more.
/// Without writing it.
bool fits(const Json& result, std::size_t size);

/// Where an answer goes: the connection that asked.
std::string toCaller(std::string_view sender);
/// That one node, whatever regions are named like it.
std::string toNode(std::string_view id);

/// UTF-8 whatever came, and at most maxErrorText.
std::string cleanText(std::string_view text);

/// The JSON of a result that came in pieces. Throws Error when it is none, or deeper than
/// maxResultDepth.
Json parseResult(const std::string& text);

}  // namespace netcluster::tasks
