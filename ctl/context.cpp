#include "context.hpp"

#include <ostream>

#include "escape.hpp"
#include "format.hpp"

namespace netcluster::ctl {

Status answer(Context& context, const Json& value, const std::string& text) {
    context.out << (context.json ? jsonLine(value) + '\n' : text) << std::flush;
    return Status::done;
}

Status fail(Context& context, Status status, const std::string& text) {
    return failWith(context, status, Json{{"error", text}});
}

Status failWith(Context& context, Status status, const Json& answer) {
    if (context.json) context.out << jsonLine(answer) << '\n' << std::flush;
    context.err << "ncctl: " << errorText(answer) << std::flush;
    return status;
}

void notice(Context& context, const std::string& text) {
    context.err << "ncctl: " << printable(text) << '\n' << std::flush;
}

}  // namespace netcluster::ctl
