// jsonc.cpp: what counts as JSON here, and where each slip is shown.
#include <doctest/doctest.h>

#include "jsonc.hpp"
#include "support.hpp"

namespace netcluster::config::test {

namespace {

const std::string whole = R"({"channels": {"control": {}}})";

std::string nested(int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return std::string(count, '[') + std::string(count, ']');
}

struct Slip {
    std::string text;
    std::string problem;  ///< without the "t:" of the file
};

void checkSlips(const std::vector<Slip>& slips) {
    for (const auto& slip : slips) {
        CAPTURE(slip.text);
        const auto parsed = parse(slip.text, "t");
        CHECK(lines(parsed.problems) == "t:" + slip.problem + "\n");
        CHECK_FALSE(parsed.settings);
    }
}

}  // namespace

TEST_CASE("comments and trailing commas may stand wherever a blank may") {
    for (const std::string& text : {
             whole,
             "//first\n" + whole + "//last",
             "/* one\n two */" + whole + "/**/",
             std::string(R"({"channels":{"control":{},},})"),
             std::string(
                 "{\"channels\"/*1*/:/*2*/{//3\n\"control\"//4\n:{/*5*/}/*6*/}//7\n,/*8*/}"),
             std::string("{\"channels\" :\r\n\t{ \"control\" :{ }\r\n} }\r\n"),
             "\xEF\xBB\xBF" + whole,
             std::string("{\"channels\":{\"control\":{}},\"peers\":[\"a:1\",],}"),
             std::string("{\"channels\":{\"control\":{}/* // */}} // /* \xC3\xA9"),
         }) {
        CAPTURE(text);
        CHECK(problemsIn(text) == "");
    }
}

TEST_CASE("a comment sign inside text is text") {
    const auto parsed = parse(document(R"("name": "a // b /* c */")"), "t");
    REQUIRE(parsed.settings);
    CHECK(parsed.settings->name == "a // b /* c */");
}

TEST_CASE("escapes are decoded, surrogate pairs included") {
    const auto parsed = parse(document(R"("name": "\"\\\/\u00e9\u20AC\uD83D\uDE00")"), "t");
    REQUIRE(parsed.settings);
    CHECK(parsed.settings->name == "\"\\/\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST_CASE("a text that cannot be followed is refused where it breaks off") {
    checkSlips({
        {"", "1:1: expected a value, found the end of the text"},
        {" \n\t", "2:2: expected a value, found the end of the text"},
        {"// nothing else", "1:16: expected a value, found the end of the text"},
        {"\xEF\xBB\xBF", "1:1: expected a value, found the end of the text"},
        {"/* \n", "1:1: this comment is not closed"},
        {"/", "1:1: expected a value, found '/'"},
        {"{", "1:2: the text ends here, and the '{' of line 1 is not closed"},
        {"{\n\"port\": 1", "2:10: the text ends here, and the '{' of line 1 is not closed"},
        {"{\"channels\":\n{\"control\":{}\n",
         "3:1: /channels: the text ends here, and the '{' of line 2 is not closed"},
        {"{\"peers\": [\"a:1\",",
         "1:18: /peers: the text ends here, and the '[' of line 1 is not closed"},
        {"{\"peers\": [1 2]}", "1:14: /peers: expected ',' or ']', found '2'"},
        {"{\"port\" 1}", "1:9: expected ':' after the key, found '1'"},
        {"{\"port\": }", "1:10: /port: expected a value, found '}'"},
        {"{\"port\": 1 \"ttl\": 1}", "1:12: expected ',' or '}', found '\"'"},
        {"{,}", "1:2: expected a key in double quotes, or '}', found ','"},
        {"{\"port\":1,,}", "1:11: expected a key in double quotes, or '}', found ','"},
        {"{port: 1}", "1:2: expected a key in double quotes, or '}', found 'p'"},
        {"{'port': 1}", "1:2: expected a key in double quotes, or '}', found '''"},
        {"{\"name\": 'x'}", "1:10: /name: expected a value, found '''"},
        {"{\"name\": \xE2\x80\x9Cx", "1:10: /name: expected a value, found '\xE2\x80\x9C'"},
        {"{\"name\": \"x", "1:10: /name: this text has no closing '\"' in its line"},
        {"{\"name\": \"x\n\"}", "1:10: /name: this text has no closing '\"' in its line"},
        {"{\"name", "1:2: this text has no closing '\"' in its line"},
        {"{\"name\": \"\\",
         "1:10: /name: this text has no closing '\"' in its line\n"
         "t:1:11: /name: unknown escape; a backslash itself is written as \\\\"},
        {std::string("{\0}", 3), "1:2: expected a key in double quotes, or '}', found '\\u0000'"},
        {"{\x1B[2J", "1:2: expected a key in double quotes, or '}', found '\\u001b'"},
        {"\xFF\xFE{", "1:1: expected a value, found '\\xff'"},
        {nested(maxDepth + 1),
         "1:33: /0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0"
         ": nested deeper than 32 levels"},
    });
}

TEST_CASE("a slip inside one value is shown, and reading goes on") {
    checkSlips({
        {whole + "}", "1:30: expected the end of the text, found '}'"},
        {whole + " {}", "1:31: expected the end of the text, found '{'"},
        {document(R"("port": 1, "port": 2)"), "1:13: /port: duplicate key; the first is in line 1"},
        {document("\"port\": 1,\n\"po\\u0072t\": 2"),
         "2:1: /port: duplicate key; the first is in line 1"},
        {R"({"channels": {"control": {}, "A": {}, "A": {}}})",
         "1:39: /channels/A: duplicate key; the first is in line 1"},
        {document(R"("port": 1e400)"),
         "1:10: /port: the number \"1e400\" is too large or too small"},
        {document(R"("port": -1e-400)"),
         "1:10: /port: the number \"-1e-400\" is too large or too small"},
        {document(R"("port": NaN)"),
         "1:10: /port: \"NaN\" is no JSON value; text needs double quotes"},
        {document(R"("port": 01)"),
         "1:10: /port: \"01\" is no JSON value; text needs double quotes"},
        {document(R"("port": 0x10)"),
         "1:10: /port: \"0x10\" is no JSON value; text needs double quotes"},
        {document(R"("port": +1)"),
         "1:10: /port: \"+1\" is no JSON value; text needs double quotes"},
        {document(R"("port": 1.)"),
         "1:10: /port: \"1.\" is no JSON value; text needs double quotes"},
        {document(R"("port": .5)"),
         "1:10: /port: \".5\" is no JSON value; text needs double quotes"},
        {document(R"("port": -)"), "1:10: /port: \"-\" is no JSON value; text needs double quotes"},
        {document(R"("dumpnet": True)"),
         "1:13: /dumpnet: \"True\" is no JSON value; text needs double quotes"},
        {document(R"("name": "\ud800")"), "1:11: /name: half of a surrogate pair"},
        {document(R"("name": "\udc00")"), "1:11: /name: half of a surrogate pair"},
        {document(R"("name": "\ud800\u0041")"), "1:11: /name: half of a surrogate pair"},
        {document(R"("name": "\u00")"), "1:11: /name: \\u needs four hexadecimal digits"},
        {document(R"("name": "\u0000")"), "1:11: /name: NUL is not allowed"},
        {document(R"("name": "\x41")"),
         "1:11: /name: unknown escape; a backslash itself is written as \\\\"},
        {document("\"name\": \"a\tb\""),
         "1:12: /name: a control character in text must be written as an escape, such as \\t"},
        {document(std::string("\"name\": \"a\0b\"", 13)), "1:12: /name: NUL is not allowed"},
        {document("\"name\": \"a\xC0\x80\""),
         "1:12: /name: the byte '\\xc0' is not UTF-8\n"
         "t:1:13: /name: the byte '\\x80' is not UTF-8"},
        {document("\"name\": \"\xED\xA0\x80\""),
         "1:11: /name: the byte '\\xed' is not UTF-8\n"
         "t:1:12: /name: the byte '\\xa0' is not UTF-8\n"
         "t:1:13: /name: the byte '\\x80' is not UTF-8"},
        {"// \xE9\n" + whole, "1:4: the byte '\\xe9' is not UTF-8"},
        {std::string("/* \0 */", 7) + whole, "1:4: NUL is not allowed"},
    });
}

TEST_CASE("lines end with \\n or \\r\\n, and columns count bytes") {
    CHECK(problemsIn("{\r\n  /* \xC3\xA9 */ \"port\": 0,\r\n\"channels\":{\"control\":{}}}") ==
          "t:2:20: /port: must be a whole number from 1 to 65535\n");
}

TEST_CASE("thirty-two levels are read") {
    CHECK(problemsIn(nested(maxDepth)) == "t:1:1: must be an object, not a list\n");
}

TEST_CASE("a problem fits on one line and has no power over a terminal") {
    const Problem problem{"a\nb", 3, 4, "/x\x1B[31m", "bad \x7F\xC2\x9B\xFF \xC3\xA9"};
    CHECK(problem.text() == "a\\u000ab:3:4: /x\\u001b[31m: bad \\u007f\\u009b\\xff \xC3\xA9");
    CHECK(Problem{"f", 0, 0, "", "is a directory"}.text() == "f: is a directory");
}

}  // namespace netcluster::config::test
