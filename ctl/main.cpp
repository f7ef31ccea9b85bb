// ncctl, the operator's tool. Words in, one command or the prompt, exit status out.
#include <clocale>
#include <iostream>

#include "arguments.hpp"
#include "control_client.hpp"
#include "prompt.hpp"
#include "terminal.hpp"

namespace {

using namespace netcluster::ctl;

Status runWithoutCommand(const Parsed& parsed, Context& context) {
    const auto error = applyOptions(parsed.call, context);
    if (!error.empty()) return fail(context, Status::usage, error);
    if (inputIsTerminal()) return runPrompt(context);
    StreamLines lines(std::cin);
    return runLines(lines, context);
}

Status run(const std::vector<std::string>& words) {
    const auto parsed = parseWords(words);
    const auto& call = parsed.call;
    const auto dir = call.has("--dir") ? call.value("--dir") : std::string{};
    ControlClient control(dir);
    Context context{control, std::cout, std::cerr, dir};
    const bool wantsPrompt = parsed.command == nullptr && parsed.error.empty() &&
                             !call.has("--help") && !call.has("--version");
    return wantsPrompt ? runWithoutCommand(parsed, context) : runWords(words, context).status;
}

}  // namespace

int main(int argc, char** argv) {
    std::setlocale(LC_CTYPE, "");  // the line editor asks it how wide characters are
    prepareStandardStreams();
    auto status = run({argv + 1, argv + argc});
    if (!std::cout.flush() && status == Status::done && !outputAbandoned()) {
        std::cerr << "ncctl: cannot write to stdout\n";
        status = Status::failed;
    }
    return static_cast<int>(status);
}
