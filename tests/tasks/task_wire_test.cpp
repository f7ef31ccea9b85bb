#include "task_wire.hpp"

#include <doctest/doctest.h>

#include "event_access.hpp"

using namespace netcluster;
using namespace netcluster::tasks;

namespace {

// An event as a listener hears it.
Asked asked(const std::string& name, const Json& data, const std::string& id = "7",
            const std::string& replyTo = "client", const std::string& to = "somebody") {
    const std::string text = data.dump();
    wire::EventView view;
    view.name = name;
    view.payload = text;
    view.to = to;
    view.id = id;
    view.replyTo = replyTo;
    Event event = EventAccess::blank();
    EventAccess::fill(event, view);
    return readTask(event);
}

}  // namespace

TEST_CASE("a task is named by its event, and its data is the argument") {
    const Asked read = asked("task.tasks.add", {2, 3});
    CHECK(read.problem.empty());
    CHECK(read.name == "tasks.add");
    CHECK(read.data == Json{2, 3});
    CHECK(read.answered);
    CHECK(read.replyEvent == "task-reply.tasks.add");
    CHECK_FALSE(asked("task.add", 1, "7", "").answered);
    CHECK_FALSE(asked("task.add", 1, "", "").answered);
    CHECK(asked("task.add", 1, "", "").problem.empty());
}

TEST_CASE("the forms of Gleam and Z-Node: Name with Data or Params, and an id asks for an answer") {
    const Asked gleam = asked("task", {{"Name", "f"}, {"Data", 1}}, "7", "");
    CHECK(gleam.name == "f");
    CHECK(gleam.data == 1);
    CHECK(gleam.answered);
    CHECK(gleam.replyEvent == "task-reply");
    const Asked zNode = asked("task", {{"Name", "f"}, {"Params", {1, 2}}});
    CHECK(zNode.data == Json{1, 2});
    CHECK(asked("task", {{"Name", "f"}}).data == nullptr);
    CHECK_FALSE(asked("task", {{"Name", "f"}}, "", "").answered);
}

TEST_CASE("what is wrong with a task is said") {
    CHECK(asked("task", 5).problem == "the data of a task must be an object with a Name");
    for (const Json& data : {Json::object(), Json{{"Name", 5}}, Json{{"Name", ""}},
                             Json{{"Name", "a\nb"}}, Json{{"Name", std::string(201, 'x')}}}) {
        CHECK(asked("task", data).problem == "a task needs a Name of 1 to 200 bytes");
    }
    CHECK(asked("task.", 5).problem == "a task needs a name of 1 to 200 bytes");
    CHECK(asked("task.a", 5, "").problem == "a task that is to be answered needs an id");
    CHECK(asked("task.a", 5, "7", "client", "").problem == "a task needs a target in \"to\"");
}

TEST_CASE("an event without a target that nobody wants answered is no task") {
    CHECK_FALSE(asked("task.done", 5, "", "", "").isTask);
    CHECK_FALSE(asked("task", "text", "", "", "").isTask);
    CHECK(asked("task", 5, "7", "", "").isTask);
}

TEST_CASE("answers are read as they are written") {
    const Said result = readAnswer(resultData("n", {{"x", 1}}));
    CHECK(result.what == Said::What::result);
    CHECK(result.node == "n");
    CHECK(result.result == Json{{"x", 1}});
    const Said failed = readAnswer(failedData("n", "no disk"));
    CHECK(failed.what == Said::What::failed);
    CHECK(failed.error == "no disk");
    const Said unknown = readAnswer(unknownData("n", "f"));
    CHECK(unknown.what == Said::What::unknownFunction);
    CHECK(unknown.error == "there is no function f");
    const Said piece = readAnswer(pieceData("n", 1, 3, "abc"));
    CHECK(piece.what == Said::What::piece);
    CHECK(piece.part == 1);
    CHECK(piece.parts == 3);
    CHECK(piece.text == "abc");
}

TEST_CASE("an answer that is none says so, if one can tell whose it is") {
    for (const Json& data : {Json(), Json(5), Json{{"result", 1}}, Json{{"node", 5}}}) {
        CHECK(readAnswer(data).node.empty());
    }
    for (const Json& more : {Json::object(), Json{{"error", 5}}, Json{{"part", -1}, {"parts", 1}},
                             Json{{"part", 0}, {"parts", 1}, {"text", 1}}}) {
        Json data = more;
        data["node"] = "n";
        const Said said = readAnswer(data);
        CHECK(said.node == "n");
        CHECK(said.what == Said::What::broken);
        CHECK(said.error == "its answer is not one");
    }
    CHECK(readAnswer({{"node", "n"}, {"error", Json::object()}}).error == "no reason was given");
}

TEST_CASE("texts of errors are UTF-8 and short, whatever a program throws") {
    CHECK(cleanText("a\xFFz") == "a\uFFFDz");
    CHECK(cleanText(std::string(5000, 'x')).size() == maxErrorText);
    std::string odd = "x";
    while (odd.size() < 5000) odd += "é";
    CHECK(cleanText(odd).size() == maxErrorText - 1);
}

TEST_CASE("a result in pieces is JSON and not too deep") {
    CHECK(parseResult("[1,{\"a\":2}]") == Json{1, {{"a", 2}}});
    CHECK_THROWS_WITH(parseResult("[1"), "its result is not JSON");
    CHECK_THROWS_WITH(parseResult(std::string(100'000, '[')),
                      "its result is nested deeper than 256");
    CHECK(parseResult(std::string(256, '[') + std::string(256, ']')).is_array());
}

TEST_CASE("what a caller says of pieces is read as it is written, and is no task") {
    const auto read = [](const std::string& to, const std::string& id, const Json& data) {
        const std::string text = data.dump();
        wire::EventView view;
        view.name = "task.f";
        view.payload = text;
        view.to = to;
        view.id = id;
        Event event = EventAccess::blank();
        EventAccess::fill(event, view);
        return readProgress(event);
    };
    const auto more = read("client=x", "7", progressData({"7", "n", 3, 5, false}));
    REQUIRE(more);
    CHECK(more->id == "7");
    CHECK(more->node == "n");
    CHECK(more->part == 3);
    CHECK(more->window == 5);
    CHECK_FALSE(more->enough);
    CHECK(read("client=x", "7", progressData({"7", "n", 0, 0, true}))->enough);
    CHECK_FALSE(read("n", "7", progressData({"7", "n", 3, 5, false})));
    CHECK_FALSE(read("client=x", "", progressData({"7", "n", 3, 5, false})));
    for (const Json& data :
         {Json(5), Json::object(), Json{{"more", -1}}, Json{{"enough", 1}},
          // Arguments of a task, perhaps.
          Json{{"more", 3}}, Json{{"enough", true}}, Json{{"more", 3}, {"window", 5}},
          Json{{"node", 4}, {"enough", true}}, Json{{"node", "n"}, {"more", 3}}}) {
        CHECK_FALSE(read("client=x", "7", data));
    }
    CHECK(progressEvent("task-reply.f") == "task.f");
    CHECK(progressEvent("task-reply") == "task");
}

TEST_CASE("how large a result is, is known well enough without writing it") {
    for (const Json& data :
         {Json(), Json(5), Json("text"), Json{1, 2, 3}, Json{{"a", {1, "b"}}, {"c", 1.5}},
          Json::array(), Json::object(), Json(std::vector<std::string>(100, "xyz"))}) {
        const std::size_t size = data.dump().size();
        CAPTURE(data);
        CHECK(fits(data, size));
        CHECK_FALSE(fits(data, size / 5));
    }
    CHECK_FALSE(fits(std::string(1000, 'x'), 1001));
    CHECK(fits(std::string(1000, 'x'), 1002));
}
