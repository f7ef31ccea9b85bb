#include "keyring.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "key_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

// What is said of a text that is refused.
std::string why(const std::string& text) {
    try {
        Keyring::parse(text, "keys");
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find(one) == std::string::npos);
        return error.what();
    }
    return "nothing";
}

Secret filled(unsigned char filler) {
    Secret secret;
    std::fill_n(secret.data(), Secret::size, filler);
    return secret;
}

}  // namespace

TEST_CASE("a key file may have comments and trailing commas, in any order of members") {
    const Keyring ring =
        Keyring::parse("\xEF\xBB\xBF// ours\n[ /* [ */\r\n" + entry("1", one, "tx") +
                           ",\n{\"use\":\"rx\",\"key\":\"" + two + "\",\"id\":65535,},\n]\n// end",
                       "keys");
    REQUIRE(ring.keys().size() == 2);
    CHECK(ring.sending() == GroupKey{1, filled(1), KeyUse::tx});
    CHECK(*ring.find(65535) == GroupKey{65535, filled(2), KeyUse::rx});
    CHECK(ring.find(2) == nullptr);
}

TEST_CASE("keys that do not fit together are refused, each for its own reason") {
    CHECK(why("[]") == "keys: no key to send with: the \"use\" of one key must be \"tx\"");
    CHECK(why(list({entry("1", one, "rx")})) == why("[]"));
    CHECK(why(list({entry("1", one, "tx"), entry("2", two, "tx")})) ==
          "keys: more than one key to send with: only one may be \"tx\"");
    CHECK(why(list({entry("1", one, "tx"), entry("1", two, "rx")})) ==
          "keys: two keys have the id 1");
    CHECK(why(list({entry("1", one, "tx"), entry("2", one, "rx")})) ==
          "keys: key 1 and key 2 are the same key");
    CHECK(why(list(std::vector<std::string>(9, entry("1", one, "tx")))) ==
          "keys:1: more than 8 keys");
}

TEST_CASE("what is wrong with one key is told with its line, and never with the key") {
    CHECK(why("[\n\n" + entry("0", one, "tx") + "]") ==
          "keys:3: \"id\" must be a number, 1 to 65535");
    for (const char* id :
         {"65536", "-1", "\"1\"", "null", "", "01", "1.5", "99999999999999999999"}) {
        CHECK(why(list({entry(id, one, "tx")})).starts_with("keys:1: "));
    }
    CHECK(why(list({entry("1", "", "tx")})) ==
          "keys:1: \"key\" is 0 characters long; 32 bytes are 44 characters of base64");
    CHECK(why(list({entry("1", one + "AAAA", "tx")})) ==
          "keys:1: \"key\" is 48 characters long; 32 bytes are 44 characters of base64");
    CHECK(why(list({entry("1", std::string(44, 'A'), "tx")})) ==
          "keys:1: \"key\" is 33 bytes long, not 32");
    CHECK(why(list({entry("1", std::string(42, 'A') + "==", "tx")})) ==
          "keys:1: \"key\" is 31 bytes long, not 32");
    CHECK(why(list({entry("1", one.substr(0, 42) + "*=", "tx")})) ==
          "keys:1: \"key\" is no base64");
    // A last letter with bits that no byte has.
    CHECK(why(list({entry("1", one.substr(0, 42) + "F=", "tx")})) ==
          "keys:1: \"key\" is no base64");
    CHECK(why(list({entry("1", one, "both")})) == "keys:1: \"use\" must be \"tx\" or \"rx\"");
    CHECK(why(R"([{"id": 1, "key": ")" + one + R"(", "use": tx}])") ==
          "keys:1: expected \"tx\" or \"rx\" here");
    CHECK(why(R"([{"id": 1, "key": )" + one + R"(, "use": "tx"}])") ==
          "keys:1: expected base64 in double quotes here");
    CHECK(why(R"([{"id": 1, "key": ")" + one + R"("}])") == "keys:1: a key without \"use\"");
    CHECK(why(R"([{"id": 1, "use": "tx"}])") == "keys:1: a key without \"key\"");
    CHECK(why(R"([{"key": ")" + one + R"(", "use": "tx"}])") == "keys:1: a key without \"id\"");
    CHECK(why(R"([{"id": 1, "id": 1}])") == "keys:1: \"id\" stands twice in one key");
    CHECK(why(R"([{"id": 1, ")" + one + R"(": 1}])") ==
          "keys:1: an unknown member; a key has \"id\", \"key\" and \"use\"");
}

TEST_CASE("a text that is no list of keys is refused") {
    CHECK(why("") == "keys:1: expected a list of keys here");
    CHECK(why("{}") == why(""));
    CHECK(why("[1]").starts_with("keys:1: expected a key"));
    CHECK(why("[" + entry("1", one, "tx")) == "keys:1: expected ',' or ']' here");
    CHECK(why("[" + entry("1", one, "tx") + entry("2", two, "rx") + "]") ==
          "keys:1: expected ',' or ']' here");
    CHECK(why(list({entry("1", one, "tx")}) + "\nx") ==
          "keys:2: something follows the list of keys");
    CHECK(why("[/* ") == "keys:1: a comment that does not end");
    CHECK(why("[{\"id") == "keys:1: text with a backslash, or without a closing quote");
    CHECK(why(R"([{"\u0069d": 1}])") ==
          "keys:1: text with a backslash, or without a closing quote");
}

TEST_CASE(
    "no beginning of a key file is taken, and whatever byte is changed, it is one key or an "
    "error") {
    const std::string whole = "[" + entry("1", one, "tx") + "]";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK(why(whole.substr(0, size)) != "nothing");
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string text = whole;
            text[at] = static_cast<char>(byte);
            std::size_t count = 1;
            try {
                count = Keyring::parse(text, "keys").keys().size();
            } catch (const Error& error) {
                REQUIRE(std::string(error.what()).starts_with("keys:"));
            }
            REQUIRE(count == 1);
        }
    }
}

TEST_CASE("keys are added to receive, used to send, and removed") {
    Keyring ring;
    CHECK(ring.empty());
    ring.add(7, filled(7));
    CHECK(ring.sending().id == 7);
    ring.add(8, filled(8));
    CHECK(ring.sending().id == 7);
    CHECK(whyNot([&] { ring.remove(7); }) == "key 7 is sent with: use another one first");

    ring.use(8);
    CHECK(ring.sending().id == 8);
    CHECK(ring.find(7)->use == KeyUse::rx);
    ring.use(8);
    CHECK(ring.sending().id == 8);
    ring.remove(7);
    CHECK(ring.keys().size() == 1);
}

TEST_CASE("what cannot be done with keys is refused, and changes nothing") {
    Keyring ring;
    CHECK(whyNot([&] { ring.add(0, filled(1)); }) == "the id of a key is 1 to 65535");
    for (std::uint16_t id = 1; id <= maxKeys; ++id) {
        ring.add(id, filled(static_cast<unsigned char>(id)));
    }
    const Keyring before = ring;
    CHECK(whyNot([&] { ring.add(9, filled(9)); }) == "there are 8 keys already: remove one first");
    CHECK(whyNot([&] { ring.use(9); }) == "there is no key 9");
    CHECK(whyNot([&] { ring.remove(9); }) == "there is no key 9");
    ring.remove(8);
    CHECK(whyNot([&] { ring.add(2, filled(9)); }) == "there is a key 2 already");
    CHECK(whyNot([&] { ring.add(9, filled(2)); }) == "this is key 2 already");
    ring.add(8, filled(8));
    CHECK(ring == before);
}

TEST_CASE("what is saved is loaded again, and nothing else is left behind") {
    const Folder folder;
    const std::string file = folder.write("keys.json", "");
    Keyring ring;
    for (std::uint16_t id = 1; id <= maxKeys; ++id) {
        ring.add(static_cast<std::uint16_t>(id * 8191), Keyring::makeKey());
    }
    ring.use(3 * 8191);
    ring.save(file);
    CHECK(Keyring::load(file) == ring);
    CHECK(folder.files() == 1);
}

TEST_CASE("a key file that cannot be replaced is said to be, and stays") {
    const Folder folder;
    Keyring ring;
    ring.add(1, filled(1));
    const std::string file = (folder.path / "nowhere" / "keys.json").string();
    CHECK(whyNot([&] { ring.save(file); }).starts_with(file + ": cannot be replaced: "));
}

TEST_CASE("two keys that are made differ") {
    CHECK_FALSE(Keyring::makeKey() == Keyring::makeKey());
}
