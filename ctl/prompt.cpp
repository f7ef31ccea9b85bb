#include "prompt.hpp"

#include <netcluster/control.hpp>

#include "call_form.hpp"
#include "control_client.hpp"
#include "escape.hpp"
#include "live_names.hpp"

namespace netcluster::ctl {
namespace {

void tellNews(Context& context) {
    const auto news = context.control.takeNews();
    if (!news.empty()) notice(context, news);
}

Status runLine(const std::string& text, Context& context) {
    const auto line = splitLine(text);
    if (!line.error.empty()) return fail(context, Status::usage, line.error);
    if (line.words.empty()) return Status::done;
    const auto [status, quit] = runWords(line.words, context);
    context.quit = quit;
    return status;
}

/// The line editor, with a prompt text that knows where we are.
class TypedLines : public LineSource {
  public:
    explicit TypedLines(Context& context)
        : context_(context),
          editor_([this](std::string_view line) { return complete(line, names_); }) {}

    /// Asks the daemon where it lives; the answer to the first question shows whether it is there.
    void greet() {
        const auto reply = context_.control.ask(control::stats, nullptr, context_.patience);
        if (reply.outcome != Answer::Outcome::answered) {
            failWith(context_, Status::failed, reply.data);
            return;
        }
        learnWhere(reply.data);
    }

    std::optional<std::string> next(const std::string&) override {
        const bool connected = context_.control.connected();
        // It came up after we did.
        if (connected && where_.empty()) {
            learnWhere(context_.control.ask(control::stats, nullptr, completionPatience).data);
        }
        return editor_.next(promptText(connected, where_));
    }

  private:
    void learnWhere(const Json& stats) {
        if (!stats.is_object() || !stats.contains("rundir")) return;
        const auto& dir = stats["rundir"];
        if (dir.is_string()) where_ = printable(dir.get<std::string>());
    }

    Context& context_;
    std::string where_;
    LiveNames names_{liveNames(context_.control)};
    LineEditor editor_;
};

}  // namespace

std::optional<std::string> StreamLines::next(const std::string&) {
    std::string line;
    if (!std::getline(input_, line)) return {};
    return line;
}

Status runLines(LineSource& lines, Context& context) {
    context.atPrompt = true;
    auto last = Status::done;
    while (!context.quit) {
        tellNews(context);
        const auto line = lines.next("");
        if (!line) break;
        tellNews(context);  // of what happened while it was typed
        const auto status = runLine(*line, context);
        if (status != Status::done) last = status;
    }
    return last;
}

Status runPrompt(Context& context) {
    TypedLines lines(context);
    lines.greet();
    runLines(lines, context);
    return Status::done;
}

std::string promptText(bool connected, const std::string& where) {
    if (!connected) return "nc [not connected]> ";
    return where.empty() ? "nc> " : "nc [" + where + "]> ";
}

}  // namespace netcluster::ctl
