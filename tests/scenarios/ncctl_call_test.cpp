// `ncctl call`, as a program: what it prints and how it ends.
#include <future>
#include <set>
#include <sstream>

#include "task_hosts.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

Outcome call(const Daemon& daemon, std::vector<std::string> words) {
    words.insert(words.begin(), {NETCLUSTER_NCCTL, "--dir", daemon.runDir(), "call"});
    Process process(words);
    Outcome outcome{process.wait(), {}, {}};
    REQUIRE(process.out.waitForEnd());
    REQUIRE(process.err.waitForEnd());
    outcome.out = process.out.text();
    outcome.err = process.err.text();
    return outcome;
}

std::set<std::string> linesOf(const std::string& text) {
    std::set<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.insert(line);
    return lines;
}

bool has(const std::string& text, const std::string& part) {
    CAPTURE(text);
    return text.find(part) != std::string::npos;
}

// Two hosts with a node each, `b` of which fails and keeps a caller waiting on demand.
struct Cluster : TwoHosts {
    Program there{beta, {"b"}};
    Program other{alpha, {"c"}};
    std::vector<Reply> kept;

    Cluster() {
        for (Program* program : {&there, &other}) {
            program->handle("echo", [](const Task& task) { return task.data(); });
        }
        there.handle("broken", [](const Task&) -> Json { throw std::runtime_error("no disk"); });
        there.handleAsync("silent", [this](const Task&, Reply reply) { kept.push_back(reply); });
        other.handle("silent", [](const Task&) { return Json("not at all"); });
        Program near(alpha);
        near.awaitNodes(2);
    }
};

}  // namespace

TEST_CASE("a line for each node, a summary, and status 0 when all succeeded") {
    Cluster cluster;
    // Gleam's flags, and the long ones.
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"-target", "b:c", "-fn", "echo", "-data", R"({"x": [1]})"},
          std::vector<std::string>{"--target=all", "--fn=echo", "--data", R"({"x":[1]})"}}) {
        const Outcome said = call(cluster.alpha, words);
        CHECK(said.status == 0);
        CHECK(linesOf(said.out) == std::set<std::string>{R"(b {"x":[1]})", R"(c {"x":[1]})"});
        CHECK(has(said.err, "2 of 2 nodes succeeded in "));
    }
}

TEST_CASE("--json: an object for each node and one at the end") {
    Cluster cluster;
    const Outcome said = call(cluster.alpha, {"-target", "b", "-fn", "broken", "-json"});
    CHECK(said.status == 1);
    std::istringstream lines(said.out);
    std::string line;
    REQUIRE(std::getline(lines, line));
    const Json answer = Json::parse(line);
    CHECK(answer.at("node") == "b");
    CHECK(answer.at("host") == "beta");
    CHECK(answer.at("outcome") == "failed");
    CHECK(answer.at("error") == "no disk");
    REQUIRE(std::getline(lines, line));
    const Json summary = Json::parse(line);
    CHECK(summary.at("asked") == 1);
    CHECK(summary.at("failed") == 1);
}

TEST_CASE("what did not succeed decides how it ends") {
    Cluster cluster;
    const Outcome missing = call(cluster.alpha, {"-target", "b:nobody", "-fn", "echo"});
    CHECK(missing.status == 1);
    CHECK(has(missing.out, "nobody unknown node: there is no node or region nobody"));
    CHECK(has(missing.err, "1 of 2 nodes succeeded (1 unknown node) in "));

    const Outcome unknown = call(cluster.alpha, {"-target", "b", "-fn", "what"});
    CHECK(unknown.status == 1);
    CHECK(has(unknown.out, "b unknown function"));

    const Outcome nobody = call(cluster.alpha, {"-target", "region=mars", "-fn", "echo"});
    CHECK(nobody.status == 1);
    CHECK(has(nobody.err, "the target means no node"));

    const Outcome noTarget = call(cluster.alpha, {"-target", "a b", "-fn", "echo"});
    CHECK(noTarget.status == 2);
    CHECK(has(noTarget.err, "unexpected at byte 3"));

    // Partial answers at the deadline.
    const Outcome late = call(cluster.alpha, {"-target", "all", "-fn", "silent", "--timeout", "2"});
    CAPTURE(late.out);
    CAPTURE(late.err);
    CHECK(late.status == 124);
    CHECK(has(late.out, "c \"not at all\""));
    CHECK(has(late.out, "b timeout"));
    CHECK(has(late.err, "1 of 2 nodes succeeded (1 timeout) in "));
}

TEST_CASE("one of several, or nobody's answer") {
    Cluster cluster;
    const Outcome none = call(cluster.alpha, {"-target", "nobody", "-fn", "echo", "--no-answer"});
    CHECK(none.status == 1);
    CHECK(has(none.err, "the target means no node"));
    CHECK(call(cluster.alpha, {"-target", "all", "-fn", "echo", "-pick", "last"}).out ==
          "c null\n");
    const std::vector<std::string> sticky{"-target", "all", "-fn", "echo", "-key", "user 7"};
    CHECK(call(cluster.alpha, sticky).out == call(cluster.alpha, sticky).out);

    std::promise<Json> heard;
    cluster.other.handle("note", [&heard](const Task& task) {
        heard.set_value(task.data());
        return Json();
    });
    const Outcome said =
        call(cluster.alpha, {"-target", "c", "-fn", "note", "-data", "7", "--no-answer"});
    CHECK(said.status == 0);
    CHECK(said.out.empty());
    auto data = heard.get_future();
    REQUIRE(data.wait_for(patience()) == std::future_status::ready);
    CHECK(data.get() == 7);
}
