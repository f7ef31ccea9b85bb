// What the tests of keys share: a folder for key files, and commands without a daemon.
#pragma once

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "control_client.hpp"
#include "keys.hpp"
#include "secret_file.hpp"
#include "temporary_directory.hpp"

namespace netcluster::ctl {

inline const std::string key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

struct KeyFolder : testing::TemporaryDirectory {
    /// A file that only we may read.
    std::string write(const std::string& name, const std::string& text) const {
        config::createSecretFile(file(name), text);
        return file(name);
    }
};

/// Runs commands where no daemon is.
struct Desk {
    ControlClient control{"nowhere"};
    std::ostringstream out, err;
    Context context{control, out, err, "nowhere"};

    Status run(const std::vector<std::string>& words) { return runWords(words, context).status; }
};

}  // namespace netcluster::ctl
