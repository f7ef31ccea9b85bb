#include "task_wire.hpp"

#include <algorithm>
#include <netcluster/error.hpp>

#include "pieces.hpp"
#include "text.hpp"

namespace netcluster::tasks {
namespace {

constexpr std::string_view task = "task";
constexpr std::string_view taskPrefix = "task.";
constexpr std::string_view reply = "task-reply";
constexpr std::string_view replyPrefix = "task-reply.";
constexpr std::string_view clientPrefix = "client=";
constexpr const char* failedCode = "failed";
constexpr const char* unknownCode = "unknown function";

bool isControl(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

std::string textOf(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool readCount(const Json& object, const char* member, std::uint64_t& count) {
    const auto found = object.find(member);
    if (found == object.end() || !found->is_number_unsigned()) return false;
    count = found->get<std::uint64_t>();
    return true;
}

// {"Name", "Data"} as Gleam has it, or {"Name", "Params"} as Z-Node.
void readCall(const Json& data, Asked& asked) {
    if (!data.is_object()) {
        asked.problem = "the data of a task must be an object with a Name";
        return;
    }
    asked.name = textOf(data, "Name");
    if (!validName(asked.name)) {
        asked.problem = "a task needs a Name of 1 to 200 bytes";
        return;
    }
    for (const char* member : {"Data", "Params"}) {
        if (const auto found = data.find(member); found != data.end()) {
            asked.data = *found;
            return;
        }
    }
}

void readPiece(const Json& data, Said& said) {
    const auto text = data.find("text");
    if (text == data.end() || !text->is_string()) return;
    if (!readCount(data, "part", said.part) || !readCount(data, "parts", said.parts)) return;
    said.text = text->get_ref<const std::string&>();
    said.what = Said::What::piece;
}

void readError(const Json& error, Said& said) {
    if (!error.is_object()) return;
    said.error = cleanText(textOf(error, "message"));
    said.what =
        textOf(error, "code") == unknownCode ? Said::What::unknownFunction : Said::What::failed;
    if (said.error.empty()) said.error = "no reason was given";
}

// What this has at least as JSON text is taken from `left`; false when that is too much. Strings
// count as they are: what has to be escaped makes them larger, by a little.
bool addSize(const Json& value, std::size_t& left) {
    const auto take = [&left](std::size_t size) {
        if (size > left) return false;
        left -= size;
        return true;
    };
    if (const auto* text = value.get_ptr<const std::string*>()) return take(text->size() + 2);
    if (const auto* object = value.get_ptr<const Json::object_t*>()) {
        return take(object->size() + 1) &&
               std::all_of(object->begin(), object->end(), [&](const auto& member) {
                   return take(member.first.size() + 3) && addSize(member.second, left);
               });
    }
    if (const auto* array = value.get_ptr<const Json::array_t*>()) {
        return take(array->size() + 1) &&
               std::all_of(array->begin(), array->end(),
                           [&](const Json& member) { return addSize(member, left); });
    }
    return take(1);
}

Json errorData(std::string_view node, const char* code, std::string_view message) {
    return {{"node", node}, {"error", {{"code", code}, {"message", cleanText(message)}}}};
}

}  // namespace

bool validName(std::string_view name) {
    if (name.empty() || name.size() > maxName || !wire::validUtf8(name)) return false;
    for (const char c : name) {
        if (isControl(c)) return false;
    }
    return true;
}

std::string taskEvent(std::string_view name) {
    return std::string(taskPrefix).append(name);
}

Asked readTask(const Event& event) {
    Asked asked;
    const bool named = event.name() != task;
    // A name of its own says that an answer is wanted; in the form of others an id alone does.
    asked.answered = !event.replyTo().empty() || (!named && !event.id().empty());
    if (event.to().empty()) {
        // Programs have had events of such names before there were tasks.
        asked.isTask = asked.answered && !event.id().empty();
        asked.problem = "a task needs a target in \"to\"";
    }
    if (!asked.isTask) return asked;
    std::string_view name = named ? event.name().substr(taskPrefix.size()) : std::string_view();
    asked.replyEvent = named ? std::string(replyPrefix).append(name) : std::string(reply);
    if (asked.answered && event.id().empty()) {
        asked.problem = "a task that is to be answered needs an id";
    }
    try {
        const Json& data = event.data();
        if (!asked.problem.empty()) return asked;
        if (!named) {
            readCall(data, asked);
            return asked;
        }
        asked.data = data;
    } catch (const Error& error) {
        asked.problem = error.what();
        return asked;
    }
    asked.name = name;
    if (!validName(name)) asked.problem = "a task needs a name of 1 to 200 bytes";
    return asked;
}

Said readAnswer(const Json& data) {
    Said said;
    if (!data.is_object()) return said;
    said.node = textOf(data, "node");
    if (said.node.empty()) return said;
    said.error = "its answer is not one";
    if (const auto result = data.find("result"); result != data.end()) {
        said.result = *result;
        said.error.clear();
        said.what = Said::What::result;
    } else if (const auto error = data.find("error"); error != data.end()) {
        readError(*error, said);
    } else {
        readPiece(data, said);
    }
    return said;
}

Json resultData(std::string_view node, const Json& result) {
    return {{"node", node}, {"result", result}};
}

Json failedData(std::string_view node, std::string_view why) {
    return errorData(node, failedCode, why);
}

Json unknownData(std::string_view node, std::string_view name) {
    return errorData(node, unknownCode, "there is no function " + std::string(name));
}

Json pieceData(std::string_view node, std::size_t part, std::size_t parts, std::string_view text) {
    return {{"node", node}, {"part", part}, {"parts", parts}, {"text", text}};
}

std::string progressEvent(std::string_view replyEvent) {
    replyEvent.remove_prefix(std::min(replyEvent.size(), reply.size()));
    return std::string(task).append(replyEvent);
}

Json progressData(const Progress& progress) {
    if (progress.enough) return {{"node", progress.node}, {"enough", true}};
    return {{"node", progress.node}, {"more", progress.part}, {"window", progress.window}};
}

std::optional<Progress> readProgress(const Event& event) {
    if (!event.to().starts_with(clientPrefix) || event.id().empty()) return {};
    try {
        const Json& data = event.data();
        if (!data.is_object()) return {};
        Progress progress;
        progress.id = event.id();
        progress.node = textOf(data, "node");
        if (progress.node.empty()) return {};
        std::uint64_t part = 0;
        std::uint64_t window = 0;
        progress.enough = data.value("enough", Json()) == true;
        if (!progress.enough &&
            !(readCount(data, "more", part) && readCount(data, "window", window))) {
            return {};
        }
        progress.part = static_cast<std::size_t>(part);
        progress.window = static_cast<std::size_t>(std::min<std::uint64_t>(window, mostUnheard));
        return progress;
    } catch (const Error&) {
        return {};
    }
}

bool fits(const Json& result, std::size_t size) {
    return addSize(result, size);
}

std::string toCaller(std::string_view sender) {
    return std::string(clientPrefix).append(sender);
}

std::string toNode(std::string_view id) {
    return std::string("node=").append(id);
}

std::string cleanText(std::string_view text) {
    std::string cut(text.substr(0, maxErrorText));
    // What is cut off in the middle of a character is dropped with it.
    while (text.size() > cut.size() && !cut.empty() &&
           (static_cast<unsigned char>(text[cut.size()]) & 0xC0) == 0x80) {
        cut.pop_back();
    }
    if (wire::validUtf8(cut)) return cut;
    return Json::parse(Json(cut).dump(-1, ' ', false, Json::error_handler_t::replace))
        .get<std::string>();
}

Json parseResult(const std::string& text) {
    const auto watch = [](int depth, Json::parse_event_t, Json&) {
        if (depth <= maxResultDepth) return true;
        throw Error("its result is nested deeper than " + std::to_string(maxResultDepth));
    };
    try {
        return Json::parse(text, watch);
    } catch (const Json::exception&) {
        throw Error("its result is not JSON");
    }
}

}  // namespace netcluster::tasks
