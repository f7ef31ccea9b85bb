#include <histedit.h>

#include <cerrno>
#include <cstdio>

#include "line_editor.hpp"
#include "terminal.hpp"

namespace netcluster::ctl {
namespace {

constexpr int rememberedLines = 500;

void listCandidates(const Completion& completion) {
    std::fputc('\n', stdout);
    for (const auto& word : completion.candidates) std::printf("%s\n", word.c_str());
    std::fflush(stdout);
}

}  // namespace

class LineEditor::Impl {
  public:
    explicit Impl(Completer completer)
        : completer_(std::move(completer)),
          edit_(el_init("ncctl", stdin, stdout, stderr)),
          history_(history_init()) {
        HistEvent event{};
        history(history_.get(), &event, H_SETSIZE, rememberedLines);
        history(history_.get(), &event, H_SETUNIQUE, 1);
        el_set(edit_.get(), EL_CLIENTDATA, this);
        el_set(edit_.get(), EL_PROMPT, &Impl::promptOf);
        el_set(edit_.get(), EL_EDITOR, "emacs");
        el_set(edit_.get(), EL_HIST, ::history, history_.get());
        // Wide, because the narrow form copies both texts and forgets them.
        el_wset(edit_.get(), EL_ADDFN, L"ncctl-complete", L"complete the word", &Impl::onTab);
        el_set(edit_.get(), EL_BIND, "^I", "ncctl-complete", nullptr);
        el_set(edit_.get(), EL_BIND, "^R", "em-inc-search-prev", nullptr);
        el_source(edit_.get(), nullptr);  // the user's ~/.editrc
    }

    std::optional<std::string> next(const std::string& prompt) {
        prompt_ = prompt;
        Interruption interruption;
        for (;;) {
            el_resize(edit_.get());
            int length = 0;
            const char* line = el_gets(edit_.get(), &length);
            if (line != nullptr && length > 0)
                return remembered({line, static_cast<std::size_t>(length)});
            std::fputc('\n', stdout);
            std::fflush(stdout);
            if (interruption.signal() != Interruption::Signal::interrupt) return {};
            interruption.clear();
            el_reset(edit_.get());
        }
    }

  private:
    static Impl& of(EditLine* edit) {
        void* data = nullptr;
        el_get(edit, EL_CLIENTDATA, &data);
        return *static_cast<Impl*>(data);
    }
    static char* promptOf(EditLine* edit) { return of(edit).prompt_.data(); }

    /// Types what all candidates have in common; when that is nothing new, lists them.
    static unsigned char onTab(EditLine* edit, wint_t) {
        const auto* info = el_line(edit);
        const auto completion = of(edit).completer_(
            {info->buffer, static_cast<std::size_t>(info->cursor - info->buffer)});
        if (completion.candidates.empty()) return CC_ERROR;
        auto rest = commonBeginning(completion.candidates).substr(completion.partial.size());
        if (completion.candidates.size() == 1) rest += completion.closing;
        if (!rest.empty()) return el_insertstr(edit, rest.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
        listCandidates(completion);
        return CC_REDISPLAY;
    }

    std::string remembered(std::string line) {
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
        HistEvent event{};
        if (!line.empty()) history(history_.get(), &event, H_ENTER, line.c_str());
        return line;
    }

    struct End {
        void operator()(EditLine* edit) const { el_end(edit); }
        void operator()(History* history) const { history_end(history); }
    };

    Completer completer_;
    std::string prompt_;
    std::unique_ptr<EditLine, End> edit_;
    std::unique_ptr<History, End> history_;
};

LineEditor::LineEditor(Completer completer) : impl_(std::make_unique<Impl>(std::move(completer))) {}
LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::next(const std::string& prompt) {
    return impl_->next(prompt);
}

}  // namespace netcluster::ctl
