#include "arguments.hpp"
#include "cli_program.hpp"

namespace netcluster::manual {

Program ncserver() {
    CLI::App app;
    daemon::Arguments arguments;
    daemon::describe(app, arguments);
    return programOf(app);
}

}  // namespace netcluster::manual
