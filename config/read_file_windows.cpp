#include <fstream>
#include <system_error>

#include "read_file.hpp"

namespace netcluster::config {
namespace {

namespace fs = std::filesystem;

FileText refused(std::string why) {
    return {std::nullopt, std::move(why), false};
}

}  // namespace

FileText readFile(const fs::path& path, std::size_t most) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (error) return refused("cannot be opened: " + error.message());
    if (fs::is_directory(status)) return refused("is a directory, not a file");
    if (!fs::is_regular_file(status)) return refused("is not a regular file");

    std::ifstream file(path, std::ios::binary);
    if (!file) return refused("cannot be opened");
    std::string text(most + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return refused("cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most) {
        return refused("is larger than " + std::to_string(most >> 20) + " MiB");
    }
    // Who may write to it is a matter of its access list, which the installer sets.
    return {std::move(text), {}, false};
}

}  // namespace netcluster::config
