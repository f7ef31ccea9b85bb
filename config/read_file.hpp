// One question to the system: what is in this regular file? Never waits for another program (a
// named pipe, a terminal) and reads no device. read_file_posix.cpp and read_file_windows.cpp answer
// it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace netcluster::config {

struct FileText {
    std::optional<std::string> text;
    std::string whyNot;      ///< when there is no text, in words that follow the file's name
    bool openToAll = false;  ///< any user of the host may write to it
};

/// A file of more than `most` bytes is refused.
FileText readFile(const std::filesystem::path& path, std::size_t most);

}  // namespace netcluster::config
