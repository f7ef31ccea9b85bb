#include "call.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "control_client.hpp"

namespace netcluster::ctl {
namespace {

using Outcome = netcluster::Answer::Outcome;
using std::chrono::microseconds;

netcluster::Answer success(const std::string& node, Json result) {
    return {.node = node, .host = "alpha", .result = std::move(result), .took = microseconds(1500)};
}
netcluster::Answer failure(const std::string& node, Outcome outcome, const std::string& error) {
    return {.node = node, .host = "alpha", .outcome = outcome, .error = error};
}

// What the words of a `call` are refused for. No daemon: they are looked at first.
struct Said {
    Status status;
    std::string text;
};
Said refused(std::vector<std::string> words) {
    words.insert(words.begin(), "call");
    ControlClient control("/nonexistent");
    std::ostringstream out, err;
    const Context context{control, out, err, "/nonexistent"};
    const auto ran = runWords(words, context);
    return {ran.status, err.str()};
}

TEST_CASE("an answer is a line, safe for terminals") {
    CHECK(answerText(success("web-1", {{"a", 1}})) == "web-1 {\"a\":1}\n");
    CHECK(answerText(failure("web-2", Outcome::failed, "no disk\x1b")) ==
          "web-2 failed: no disk\\u001b\n");
    CHECK(answerText(failure("web-3", Outcome::unknownFunction, "")) == "web-3 unknown function\n");
    CHECK(Json::parse(answerJson(success("web-1", 5))) == Json{{"node", "web-1"},
                                                               {"host", "alpha"},
                                                               {"outcome", "success"},
                                                               {"milliseconds", 1.5},
                                                               {"result", 5}});
    CHECK(Json::parse(answerJson(failure("web-2", Outcome::lost, "its host is gone"))) ==
          Json{{"node", "web-2"},
               {"host", "alpha"},
               {"outcome", "lost"},
               {"milliseconds", 0.0},
               {"error", "its host is gone"}});
}

TEST_CASE("the exit status is the worst of the answers") {
    Tally tally;
    CHECK(tally.status() == Status::failed);  // nobody was asked
    CHECK(tally.text(microseconds(0)) == "the target means no node");
    tally.add(success("a", nullptr));
    CHECK(tally.status() == Status::done);
    CHECK(tally.text(microseconds(1230)) == "1 of 1 nodes succeeded in 1.2 ms");
    tally.add(failure("b", Outcome::lost, ""));
    CHECK(tally.status() == Status::failed);
    tally.add(failure("c", Outcome::timeout, ""));
    CHECK(tally.status() == Status::deadline);
    CHECK(tally.text(microseconds(1230)) == "1 of 3 nodes succeeded (1 lost, 1 timeout) in 1.2 ms");
    CHECK(tally.json(microseconds(1000)) == Json{{"asked", 3},
                                                 {"milliseconds", 1.0},
                                                 {"success", 1},
                                                 {"failed", 0},
                                                 {"unknown function", 0},
                                                 {"unknown node", 0},
                                                 {"lost", 1},
                                                 {"timeout", 1},
                                                 {"refused", 0}});
    const Json nobody = Tally().json(microseconds(0));
    CHECK(nobody.at("asked") == 0);
    CHECK(nobody.at("success") == 0);
    CHECK(nobody.at("error") == "the target means no node");
}

TEST_CASE("words that make no sense are refused before anybody is asked") {
    const std::vector<std::pair<std::vector<std::string>, std::string>> examples{
        {{}, "call needs --target"},
        {{"-target", "a"}, "call needs --fn"},
        {{"-target", "a", "-fn", "f", "-data", "{"}, "the data is not JSON: parse error"},
        {{"-target", "a", "-fn", "f", "--pick", "best"}, "--pick is one of first, last"},
        {{"-target", "a", "-fn", "f", "--pick", "sticky"}, "--pick sticky needs --key"},
        {{"-target", "a", "-fn", "f", "--pick", "first", "--key", "k"}, "--key is for"},
        {{"-target", "a", "-fn", "f", "--no-answer", "--pick", "first"}, "--no-answer is for all"},
        {{"-target", "a", "-fn", "f", "-channel", "a/b"}, "a/b"},
    };
    for (const auto& [words, why] : examples) {
        const auto said = refused(words);
        CAPTURE(said.text);
        CHECK(said.status == Status::usage);
        CHECK(said.text.find(why) != std::string::npos);
    }
    // Those that completion offers.
    std::string known = "--pick is one of ";
    for (const char c : pickChoices) known += c == '|' ? std::string(", ") : std::string(1, c);
    CHECK(refused({"-target", "a", "-fn", "f", "--pick", "best"}).text.find(known + '\n') !=
          std::string::npos);
    CHECK(refused({"-target", "a", "-fn", "f", "-timeout", "0.05"}).status == Status::failed);
}

}  // namespace
}  // namespace netcluster::ctl
