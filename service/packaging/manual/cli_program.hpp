// What CLI11 knows of a program's command line, as a Program.
#pragma once

#include <CLI/CLI.hpp>

#include "program.hpp"

namespace netcluster::manual {

/// An argument that is no option is a FILE, and may be left out.
Program programOf(const CLI::App& app);

}  // namespace netcluster::manual
