// Key files and folders of their own for the tests of keys.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <netcluster/error.hpp>
#include <random>
#include <string>
#include <vector>

namespace netcluster::daemon::link {

// 32 bytes of 0x01, of 0x02.
inline const std::string one = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
inline const std::string two = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

inline std::string entry(const std::string& id, const std::string& key, const std::string& use) {
    return R"({"id": )" + id + R"(, "key": ")" + key + R"(", "use": ")" + use + R"("})";
}

inline std::string list(const std::vector<std::string>& entries) {
    std::string text = "[";
    for (const auto& entry : entries) text += entry + ", ";
    return text + ']';
}

template <typename Act>
std::string whyNot(Act act) {
    try {
        act();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing";
}

struct Folder {
    Folder()
        : path(std::filesystem::temp_directory_path() /
               ("netcluster-keys-" + std::to_string(std::random_device()()))) {
        std::filesystem::create_directory(path);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        std::filesystem::permissions(
            path / name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        return (path / name).string();
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path),
                                                      std::filesystem::directory_iterator()));
    }

    std::filesystem::path path;
};

}  // namespace netcluster::daemon::link
