// load(), the default configuration and the examples.
#include <doctest/doctest.h>

#include <fstream>
#include <random>

#include "support.hpp"

namespace fs = std::filesystem;

namespace netcluster::config::test {

TemporaryDirectory::TemporaryDirectory() {
    std::random_device random;
    path_ = fs::temp_directory_path() / ("netcluster-config-" + std::to_string(random()));
    fs::create_directory(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

fs::path TemporaryDirectory::write(const std::string& name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
}

namespace {

const fs::path folder = NETCLUSTER_CONFIG_DIR;

// A checkout on a shared mount can be open to all; that is no fault of the file's text.
std::string warningsOfText(const Parsed& parsed) {
    auto warnings = parsed.warnings;
    std::erase_if(warnings, [](const Problem& warning) { return warning.line == 0; });
    return lines(warnings);
}

}  // namespace

TEST_CASE("the configuration the daemon ships with is sound and shows the defaults") {
    const auto parsed = load(folder / "config.json");
    REQUIRE_MESSAGE(parsed.settings, lines(parsed.problems));
    CHECK(warningsOfText(parsed) == "");

    Settings expected;
    expected.channels["control"] = controlDefaults();
    expected.channels["A"].propagateToChannels = ".*";
    expected.channels["A"].propagateToNet = {EventFilter::Kind::all, {}};
    expected.channels["B"] = ChannelSettings{};
    CHECK(*parsed.settings == expected);
}

TEST_CASE("every example loads, and none but that of 1.x has a warning") {
    int seen = 0;
    for (const auto& entry : fs::directory_iterator(folder / "examples")) {
        CAPTURE(entry.path().string());
        const auto parsed = load(entry.path());
        CHECK_MESSAGE(parsed.settings, lines(parsed.problems));
        const bool isFirst = entry.path().filename() == "netcluster-1.x.json";
        const std::string reserved = entry.path().string() +
                                     ":4:11: /addr: 224.0.0.0 is a reserved address (224.0.0.0/24, "
                                     "RFC 5771); an own one begins with 239\n";
        CHECK(warningsOfText(parsed) == (isFirst ? reserved : ""));
        ++seen;
    }
    CHECK(seen == 8);
}

TEST_CASE("a file is read and its problems bear its name") {
    const TemporaryDirectory directory;
    const auto path =
        directory.write("c.json", "{\r\n\"port\": 0,\r\n\"channels\":{\"control\":{}}}");
    CHECK(lines(load(path).problems) ==
          path.string() + ":2:9: /port: must be a whole number from 1 to 65535\n");
}

TEST_CASE("an empty file, a missing one, a directory and one too large are refused") {
    const TemporaryDirectory directory;
    const auto problemsOf = [&](const fs::path& path) {
        const auto parsed = load(path);
        CHECK_FALSE(parsed.settings);
        return lines(parsed.problems);
    };
    const auto empty = directory.write("empty.json", "");
    CHECK(problemsOf(empty) ==
          empty.string() + ":1:1: expected a value, found the end of the text\n");

    CHECK(problemsOf(directory.file("none.json")).find("none.json: cannot be opened: ") !=
          std::string::npos);
    CHECK(problemsOf("").find(": cannot be opened: ") == 0);

    fs::create_directory(directory.file("folder"));
    CHECK(problemsOf(directory.file("folder")) ==
          directory.file("folder").string() + ": is a directory, not a file\n");

    const auto large = directory.write("large.json", std::string(2u << 20, ' '));
    CHECK(problemsOf(large) == large.string() + ": is larger than 1 MiB\n");

    const auto full = directory.write("full.json", std::string(maxConfigBytes, ' '));
    CHECK(problemsOf(full).find(":1:1048577: expected a value") != std::string::npos);
}

}  // namespace netcluster::config::test
