// keys.cpp and value.cpp: each key of the document, its values and its mistakes.
#include <doctest/doctest.h>

#include "spelling.hpp"
#include "support.hpp"

namespace netcluster::config::test {

namespace {

struct Mistake {
    std::string keys;
    std::string problem;  ///< without the "t:" of the file
};

void checkMistakes(const std::vector<Mistake>& mistakes) {
    for (const auto& mistake : mistakes) {
        CAPTURE(mistake.keys);
        CHECK(problemsIn(document(mistake.keys)) == "t:" + mistake.problem + "\n");
    }
}

Settings settingsOf(const std::string& keys) {
    const auto parsed = parse(document(keys), "t");
    REQUIRE_MESSAGE(parsed.settings, lines(parsed.problems));
    return *parsed.settings;
}

}  // namespace

TEST_CASE("a document of channels alone has every default") {
    const auto parsed = parse(R"({"channels": {"control": {}, "A": {}}})", "t");
    REQUIRE(parsed.settings);

    Settings expected;
    expected.channels["control"] = controlDefaults();
    expected.channels["A"] = ChannelSettings{};
    CHECK(*parsed.settings == expected);
    CHECK(parsed.warnings.empty());
}

TEST_CASE("every key of the document is taken") {
    const Settings settings = settingsOf(R"(
        "name": "till", "connecttonet": false, "addr": "239.1.2.3", "port": 65535, "dumpnet": true,
        "netinterface": "eth0", "ttl": 0, "peers": ["a.b-c_d:1", "10.0.0.1:65535", "[::1]:4454"],
        "relay": true, "heartbeat": 200, "netkeyfile": "keys/net.json", "netrate": "40MiB",
        "repairbuffer": 1048576, "startcontrol": false, "maxevent": 1048576, "clientqueue": 2097152,
        "processqueue": 2097152, "stalltimeout": 10, "maxclients": 7, "$schema": "x.json")");
    Settings expected;
    expected.name = "till";
    expected.link = {false,
                     "239.1.2.3",
                     65535,
                     true,
                     "eth0",
                     0,
                     {"a.b-c_d:1", "10.0.0.1:65535", "[::1]:4454"},
                     true,
                     std::chrono::milliseconds{200},
                     "keys/net.json",
                     std::size_t{40} << 20,
                     std::size_t{1} << 20};
    expected.startControl = false;
    expected.maxEvent = 1048576;
    expected.clientQueue = expected.processQueue = 2097152;
    expected.stallTimeout = std::chrono::milliseconds{10};
    expected.maxClients = 7;
    expected.channels["control"] = controlDefaults();
    CHECK(settings == expected);
}

TEST_CASE("sizes are numbers of bytes or have a unit") {
    CHECK(settingsOf(R"("maxevent": "512KiB")").maxEvent == 512u * 1024);
    CHECK(settingsOf(R"("maxevent": "64MiB")").maxEvent == 64u << 20);
    CHECK(settingsOf(R"("clientqueue": "1GiB", "processqueue": "64GiB")").processQueue ==
          std::size_t{64} << 30);
    CHECK(settingsOf(R"("maxevent": 1e3)").maxEvent == 1000);

    const std::string wanted =
        "1:14: /maxevent: must be a number of bytes, or text such as \"4MiB\" (KiB, MiB or GiB), "
        "not ";
    checkMistakes({
        {R"("maxevent": "4MB")", wanted + "\"4MB\""},
        {R"("maxevent": "4 MiB")", wanted + "\"4 MiB\""},
        {R"("maxevent": "MiB")", wanted + "\"MiB\""},
        {R"("maxevent": "-4MiB")", wanted + "\"-4MiB\""},
        {R"("maxevent": "04MiB")", wanted + "\"04MiB\""},
        {R"("maxevent": "4096")", wanted + "\"4096\""},
        {R"("maxevent": "99999999999999999999GiB")", wanted + "\"99999999999999999999GiB\""},
        {R"("maxevent": "")", wanted + "\"\""},
        {R"("maxevent": true)", wanted + "true"},
        {R"("maxevent": "65MiB")", "1:14: /maxevent: must be a number of bytes from 1 to 67108864"},
        {R"("maxevent": 0)", "1:14: /maxevent: must be a number of bytes from 1 to 67108864"},
        {R"("maxevent": 1.5)", "1:14: /maxevent: must be a number of bytes from 1 to 67108864"},
    });
}

TEST_CASE("a rate is a size, or 0 for no limit") {
    CHECK(settingsOf(R"("netrate": 0)").link.netRate == 0);
    CHECK(settingsOf(R"("netrate": 65536)").link.netRate == 65536);
    CHECK(settingsOf(R"("netrate": "64GiB")").link.netRate == std::size_t{64} << 30);
    checkMistakes({
        {R"("netrate": "fast")",
         "1:13: /netrate: must be a number of bytes, or text such as \"4MiB\" (KiB, MiB or GiB), "
         "not \"fast\""},
        {R"("netkeyfile": ["a"])", "1:16: /netkeyfile: must be text, not a list"},
    });
}

TEST_CASE("a number out of its range names the range") {
    const auto outside = [](const std::string& key, const std::string& value,
                            const std::string& range) {
        return Mistake{'"' + key + "\": " + value, "1:" + std::to_string(key.size() + 6) + ": /" +
                                                       key + ": must be a " + range};
    };
    checkMistakes({
        outside("port", "0", "whole number from 1 to 65535"),
        outside("port", "65536", "whole number from 1 to 65535"),
        outside("port", "-1", "whole number from 1 to 65535"),
        outside("port", "1.5", "whole number from 1 to 65535"),
        outside("port", "1e300", "whole number from 1 to 65535"),
        outside("port", "99999999999999999999", "whole number from 1 to 65535"),
        outside("ttl", "256", "whole number from 0 to 255"),
        outside("ttl", "-1", "whole number from 0 to 255"),
        outside("heartbeat", "49", "whole number from 50 to 60000"),
        outside("heartbeat", "60001", "whole number from 50 to 60000"),
        outside("stalltimeout", "9", "whole number from 10 to 60000"),
        outside("stalltimeout", "60001", "whole number from 10 to 60000"),
        outside("maxclients", "0", "whole number from 1 to 65536"),
        outside("maxclients", "65537", "whole number from 1 to 65536"),
        outside("clientqueue", "65535", "number of bytes from 65536 to 1073741824"),
        outside("clientqueue", "1073741825", "number of bytes from 65536 to 1073741824"),
        outside("processqueue", "65535", "number of bytes from 65536 to 68719476736"),
        outside("repairbuffer", "1048575", "number of bytes from 1048576 to 1073741824"),
        outside("repairbuffer", "0", "number of bytes from 1048576 to 1073741824"),
        outside("netrate", "-1", "number of bytes from 65536 to 68719476736, or 0"),
        outside("netrate", "65535", "number of bytes from 65536 to 68719476736, or 0"),
        outside("netrate", "0.5", "number of bytes from 65536 to 68719476736, or 0"),
        outside("netrate", "\"63KiB\"", "number of bytes from 65536 to 68719476736"),
    });
}

TEST_CASE("a value of the wrong type says what it is and what it must be") {
    checkMistakes({
        {R"("port": "4454")", "1:10: /port: must be a whole number, not text"},
        {R"("port": null)", "1:10: /port: must be a whole number, not null"},
        {R"("dumpnet": 1)", "1:13: /dumpnet: must be true or false, not a number"},
        {R"("startcontrol": "yes")", "1:18: /startcontrol: must be true or false, not text"},
        {R"("connecttonet": [])", "1:18: /connecttonet: must be true or false, not a list"},
        {R"("addr": false)", "1:10: /addr: must be a multicast address as text, not false"},
        {R"("name": {})", "1:10: /name: must be text, not an object"},
        {R"("netinterface": 2)", "1:18: /netinterface: must be text, not a number"},
        {R"("peers": "a:1")", "1:11: /peers: must be a list of \"host:port\", not text"},
        {R"("$schema": 1)", "1:13: /$schema: must be text, not a number"},
        {R"("name": "a\nb")", "1:10: /name: may not have control characters"},
        {R"("name": ")" + std::string(65, 'x') + '"', "1:10: /name: may have at most 64 bytes"},
    });
}

TEST_CASE("a peer is a host and a port") {
    const std::string wanted =
        ": must be \"host:port\" or \"[IPv6 address]:port\", port 1 to 65535, not ";
    for (const std::string peer :
         {"a", ":1", "a:", "a:0", "a:65536", "a:01", "a:+1", "a:1x", "::1:4454", "[::1]",
          "[::1]:", "[]:1", "[a]:1", "[10.0.0.1]:1", "a b:1", "http://a:1", ""}) {
        CAPTURE(peer);
        CHECK(problemsIn(document(R"("peers": [")" + peer + "\"]")) ==
              ("t:1:12: /peers/0" + wanted).append(inQuotes(peer)) + '\n');
    }
    CHECK(problemsIn(document(R"("peers": ["a:1", 7, "a:1"])")) ==
          "t:1:19: /peers/1" + wanted + "a number\n" +
              "t:1:22: /peers/2: \"a:1\" stands twice in the list\n");

    std::string many = R"("peers": [)";
    for (int i = 0; i < 257; ++i) many += "\"host-" + std::to_string(i) + ":1\",";
    CHECK(problemsIn(document(many + "]")) == "t:1:11: /peers: may have at most 256 peers\n");
}

TEST_CASE("an address must be a multicast group, or empty when there are peers") {
    const std::string rest =
        " is not a multicast address (224.0.0.0 to 239.255.255.255, or ff00::/8)\n";
    for (const std::string address :
         {"127.0.0.1", "240.0.0.1", "223.255.255.255", "239.1.2", "239.1.2.256", "239.1.2.03",
          "::1", "fe80::1", "ff02::1%eth0", "ff02", "example.org", " 239.1.2.3"}) {
        CAPTURE(address);
        CHECK(problemsIn(document(R"("addr": ")" + address + '"')) ==
              "t:1:10: /addr: " + inQuotes(address) + rest);
    }
    const std::string nobody =
        "t:1:10: /addr: may be \"\" only when there are \"peers\": there is nobody to send to\n";
    CHECK(problemsIn(document(R"("addr": "")")) == nobody);
    CHECK(problemsIn(document(R"("addr": "", "peers": [])")) == nobody);
    CHECK(problemsIn(document(R"("addr": "", "peers": ["a:1"])")) == "");
    // The peers are there, only wrong: that is told once, not twice.
    CHECK(problemsIn(document(R"("addr": "", "peers": 1)")) ==
          "t:1:23: /peers: must be a list of \"host:port\", not a number\n");
}

TEST_CASE("a reserved multicast group is a warning") {
    CHECK(warningsIn(document(R"("addr": "224.0.0.251")")) ==
          "t:1:10: /addr: 224.0.0.251 is a reserved address (224.0.0.0/24, RFC 5771); an own one "
          "begins with 239\n");
    CHECK(warningsIn(document(R"("addr": "ff02::1")")) ==
          "t:1:10: /addr: ff02::1 is a reserved address (RFC 4291, 2.7.1); an own one begins with "
          "ff15 or ff18\n");
    CHECK(warningsIn(document(R"("addr": "ff11::4454")")) ==
          "t:1:10: /addr: ff11::4454 is a group of this scope never leaves the host\n");
    CHECK(warningsIn(document(R"("addr": "224.0.1.0")")) == "");
    CHECK(warningsIn(document(R"("addr": "FF15::4454")")) == "");
}

TEST_CASE("the queues must agree, at whichever key was written") {
    CHECK(problemsIn(document(R"("clientqueue": "2MiB", "processqueue": "1MiB")")) ==
          "t:1:41: /processqueue: processqueue (1048576) must not be less than clientqueue "
          "(2097152)\n");
    CHECK(problemsIn(document(R"("clientqueue": "65MiB")")) ==
          "t:1:17: /clientqueue: processqueue (67108864) must not be less than clientqueue "
          "(68157440)\n");
    // A queue that could not be read is not compared.
    CHECK(problemsIn(document(R"("clientqueue": "x", "processqueue": "1MiB")")).find("less") ==
          std::string::npos);
    CHECK(
        warningsIn(document(R"("clientqueue": "1MiB")")) ==
        "t:1:17: /clientqueue: clientqueue (1048576) is less than maxevent (4194304): the largest "
        "events do not fit one client's queue\n");
}

TEST_CASE("an unknown key is refused, with the key that was probably meant") {
    checkMistakes({
        {R"("prot": 1)", "1:2: /prot: unknown key; did you mean \"port\"?"},
        {R"("Port": 1)", "1:2: /Port: unknown key; did you mean \"port\"?"},
        {R"("connectonet": true)",
         "1:2: /connectonet: unknown key; did you mean \"connecttonet\"?"},
        {R"("start_control": true)",
         "1:2: /start_control: unknown key; did you mean \"startcontrol\"?"},
        {R"("colour": 1)", "1:2: /colour: unknown key"},
        {R"("": 1)", "1:2: /: unknown key"},
        {R"("a/b~c": 1)", "1:2: /a~1b~0c: unknown key"},
        {R"("propagatetonet": true)",
         "1:2: /propagatetonet: unknown key; it belongs inside a channel"},
        {'"' + std::string(41, 'x') + "\": 1", "1:2: /" + std::string(41, 'x') + ": unknown key"},
    });
}

}  // namespace netcluster::config::test
