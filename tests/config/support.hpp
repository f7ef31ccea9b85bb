// What the tests of config/ share: short ways to say "this text" and "these problems".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parse.hpp"

namespace netcluster::config::test {

/// One line each, so that a failed comparison shows both lists.
inline std::string lines(const std::vector<Problem>& problems) {
    std::string text;
    for (const auto& problem : problems) text += problem.text() + '\n';
    return text;
}

inline std::string problemsIn(std::string_view text) {
    return lines(parse(text, "t").problems);
}
inline std::string warningsIn(std::string_view text) {
    return lines(parse(text, "t").warnings);
}

/// A document that is whole but for `keys`, which begin in column 2.
inline std::string document(const std::string& keys) {
    return '{' + keys + R"(, "channels": {"control": {}}})";
}

/// The same for keys of a channel A, which begin in column 35.
inline std::string channel(const std::string& keys) {
    return R"({"channels": {"control": {}, "A":{)" + keys + R"(}, "B": {}}})";
}

/// A directory of its own, gone at the end of the test.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::filesystem::path file(const std::string& name) const { return path_ / name; }
    std::filesystem::path write(const std::string& name, std::string_view text) const;

  private:
    std::filesystem::path path_;
};

}  // namespace netcluster::config::test
