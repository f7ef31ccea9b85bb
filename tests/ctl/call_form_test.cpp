#include "call_form.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace netcluster::ctl {

static std::ostream& operator<<(std::ostream& out, const Line& line) {
    for (const auto& word : line.words) out << '<' << word << '>';
    return out << line.error;
}

namespace {

using Words = std::vector<std::string>;

struct Example {
    const char* text;
    Words words;
};

TEST_CASE("plain lines are split as a shell splits them") {
    const std::vector<Example> examples{
        {"", {}},
        {"  \t ", {}},
        {"# a comment", {}},
        {"showconfig", {"showconfig"}},
        {"  showchannel   A  \r\n", {"showchannel", "A"}},
        {"emit A e '{\"a\": 1}'", {"emit", "A", "e", "{\"a\": 1}"}},
        {"emit A e \"say \\\"hi\\\" \\\\ \\n\"", {"emit", "A", "e", "say \"hi\" \\ \\n"}},
        {"emit A a\\ b", {"emit", "A", "a b"}},
        {"emit A ''", {"emit", "A", ""}},
        {"emit A pre'fix 'ed", {"emit", "A", "prefix ed"}},
        {"listen A 'a\\.b'", {"listen", "A", "a\\.b"}},
        {"listen A (a|b)", {"listen", "A", "(a|b)"}},
    };
    for (const auto& example : examples) {
        CAPTURE(example.text);
        CHECK(splitLine(example.text) == Line{example.words, {}});
    }
}

TEST_CASE("the call form of 1.x gives the same words") {
    const std::vector<Example> examples{
        {"showconfig()", {"showconfig"}},
        {"showconfig ( ) ;", {"showconfig"}},
        {"reloadconfig(\"path\")", {"reloadconfig", "path"}},
        {"reloaconfig(\"path\");", {"reloaconfig", "path"}},
        {"showchannel(\"A\")", {"showchannel", "A"}},
        {"showchannel('A')", {"showchannel", "A"}},
        {" showclient( \"A\" , \"uuid\" ) ; ", {"showclient", "A", "uuid"}},
        {"showclient('A','it\\'s')", {"showclient", "A", "it's"}},
        {"showclient('A','\"')", {"showclient", "A", "\""}},
        {"listen('A', 'a\\\\.b')", {"listen", "A", "a\\.b"}},
        {"emit('A', 'caf\\u00e9')", {"emit", "A", "café"}},
        {"showchannel(A)", {"showchannel", "A"}},
        {"emit(\"A\", \"e\", {\"a\": [1, 2], \"b\": \")\\\"\"})",
         {"emit", "A", "e", "{\"a\": [1, 2], \"b\": \")\\\"\"}"}},
        {"emit(\"A\", \"e\", -1.5 )", {"emit", "A", "e", "-1.5"}},
    };
    for (const auto& example : examples) {
        CAPTURE(example.text);
        CHECK(splitLine(example.text) == Line{example.words, {}});
    }
}

TEST_CASE("what is no line says where") {
    struct Bad {
        const char* text;
        const char* error;
    };
    const std::vector<Bad> examples{
        {"emit A 'open", "column 8: this quote is not closed"},
        {"emit A \"open\\\"", "column 8: this quote is not closed"},
        {"showchannel(\"A)", "column 13: this string is not closed"},
        {"showchannel(\"A\"", "column 16: `,` or `)` is missing"},
        {"showchannel(", "column 13: an argument or `)` is missing"},
        {"showchannel(\"A\",)", "column 17: an argument is missing"},
        {"showchannel(,\"A\")", "column 13: an argument is missing"},
        {"showchannel(\"A\" \"B\")", "column 17: `,` or `)` is missing"},
        {"showchannel(\"A\") now", "column 18: nothing may follow the call"},
        {"showchannel(\"A\");;", "column 18: nothing may follow the call"},
        {"reloadconfig(\"C:\\Users\")",
         "column 14: not a string (a backslash itself is written \\\\)"},
    };
    for (const auto& example : examples) {
        CAPTURE(example.text);
        CHECK(splitLine(example.text) == Line{{}, example.error});
    }
}

TEST_CASE("no text makes it stumble") {
    const std::string alphabet = "a('\\\"), {[#;\xff";
    std::string text;
    for (std::size_t seed = 0; seed < 50000; ++seed) {
        text.clear();
        for (std::size_t rest = seed; rest > 0; rest /= alphabet.size()) {
            text += alphabet[rest % alphabet.size()];
        }
        const auto line = splitLine("emit" + text);
        CHECK((line.words.empty() != line.error.empty()));
    }
}

}  // namespace
}  // namespace netcluster::ctl
