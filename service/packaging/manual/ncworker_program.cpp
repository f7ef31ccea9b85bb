#include "arguments.hpp"
#include "cli_program.hpp"

namespace netcluster::manual {

Program ncworker() {
    CLI::App app;
    worker::Arguments arguments;
    worker::describe(app, arguments);
    return programOf(app);
}

}  // namespace netcluster::manual
