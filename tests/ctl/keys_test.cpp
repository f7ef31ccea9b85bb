#include "keys.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "format.hpp"
#include "key_support.hpp"

namespace netcluster::ctl {
namespace {

std::string textOf(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

ParsedData requestOf(const std::vector<std::string>& arguments, bool atPrompt = false) {
    Call call;
    call.arguments = arguments;
    return keysRequest(call, atPrompt);
}

TEST_CASE("what keys asks of the daemon") {
    CHECK(requestOf({"list"}).value == Json{{"do", "list"}});
    CHECK(requestOf({"use", "7"}).value == Json{{"do", "use"}, {"id", 7}});
    CHECK(requestOf({"remove", "65535"}).value == Json{{"do", "remove"}, {"id", 65535}});
    const KeyFolder folder;
    const auto file = folder.write("key", "\n " + key + "\r\n");
    CHECK(requestOf({"add", "2", file}).value == Json{{"do", "add"}, {"id", 2}, {"key", key}});
}

TEST_CASE("what makes no sense is not asked") {
    CHECK(requestOf({"show"}).error == "keys does list, add, use or remove, not `show`");
    CHECK(requestOf({"list", "1"}).error == "too many arguments for keys list");
    CHECK(requestOf({"use", "1", "2"}).error == "too many arguments for keys use");
    for (const std::string id : {"0", "65536", "-1", "x", "1x", ""}) {
        CHECK(requestOf({"use", id}).error == "keys use needs the id of a key, 1 to 65535");
    }
    CHECK(requestOf({"remove"}).error == "keys remove needs the id of a key, 1 to 65535");
    CHECK(requestOf({"add", "1"}, true).error ==
          "name the file with the key; reading it from stdin is for the command line");
    const KeyFolder folder;
    CHECK(requestOf({"add", "1", folder.write("key", " \n")}).error == "there is no key to read");
}

TEST_CASE("genkey prints a new key each time") {
    std::set<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        Desk desk;
        CHECK(desk.run({"genkey"}) == Status::done);
        CHECK(desk.out.str().size() == key.size() + 1);
        CHECK(desk.out.str().ends_with("=\n"));
        seen.insert(desk.out.str());
    }
    CHECK(seen.size() == 3);
    Desk desk;
    CHECK(desk.run({"genkey", "--json"}) == Status::done);
    CHECK(Json::parse(desk.out.str()).at("key").get<std::string>().size() == key.size());
}

TEST_CASE("genkey makes a key file that only its owner reads, and overwrites none") {
    const KeyFolder folder;
    const auto file = folder.file("keys.json");
    Desk desk;
    CHECK(desk.run({"genkey", "--file", file, "--id", "12"}) == Status::done);
    CHECK(desk.out.str() == "made " + file + " with key 12\n");
    CHECK(config::readSecretFile(file, 4096) == textOf(file));  // which takes it from no others
    const auto text = textOf(file);
    const Json keys = Json::parse(text);
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].at("id") == 12);
    CHECK(keys[0].at("use") == "tx");
    CHECK(keys[0].at("key").get<std::string>().size() == key.size());

    CHECK(desk.run({"genkey", "--file", file}) == Status::failed);
    CHECK(desk.err.str().starts_with("ncctl: " + file + ": cannot be made: "));
    CHECK(textOf(file) == text);
}

TEST_CASE("genkey says what is wrong with its options") {
    const KeyFolder folder;
    Desk desk;
    CHECK(desk.run({"genkey", "--id", "2"}) == Status::usage);
    CHECK(desk.run({"genkey", "--file", folder.file("k"), "--id", "0"}) == Status::usage);
    CHECK(desk.run({"genkey", "--file", folder.file("no/k")}) == Status::failed);
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("keys are shown as a table") {
    const Json answer = Json::parse(R"({"file": "/etc/netcluster/netkeys.json", "forged": 0,
        "unknownkey": 3, "keys": [{"id": 1, "use": "rx", "opened": 1200},
                                  {"id": 22, "use": "tx", "opened": 7}]})");
    CHECK(keysText(answer) ==
          "ID  USE  OPENED\n"
          " 1  rx     1200\n"
          "22  tx        7\n"
          "\n"
          "file        /etc/netcluster/netkeys.json\n"
          "forged      0\n"
          "unknownkey  3\n");
    CHECK(keysText(Json{{"keys", Json::array()}, {"file", ""}}) ==
          "no keys: the link is not encrypted\n");
    CHECK(keysText(Json(7)) == "7\n");
}

}  // namespace
}  // namespace netcluster::ctl
