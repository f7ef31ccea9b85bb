// Key files for the hosts of a laboratory.
#pragma once

#include <sys/stat.h>

#include <string>

#include "harness.hpp"

namespace netcluster::scenario {

/// Any two keys; nothing else uses them.
inline constexpr const char* firstKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
inline constexpr const char* secondKey = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// A key file of its own with one key to send with; gone with this object.
class KeyFile {
  public:
    explicit KeyFile(const std::string& key, int id = 1)
        : path_(scratch_.write("keys.json", "[{\"id\": " + std::to_string(id) + ", \"key\": \"" +
                                                key + "\", \"use\": \"tx\"}]\n")) {
        chmod(path_.c_str(), 0600);
    }
    /// Member for HostConfig::more.
    std::string setting() const { return "\"netkeyfile\": \"" + path_ + "\""; }

  private:
    Scratch scratch_;
    std::string path_;
};

}  // namespace netcluster::scenario
