#include <iostream>

#include "line_editor.hpp"
#include "terminal.hpp"

namespace netcluster::ctl {

class LineEditor::Impl {};

LineEditor::LineEditor(Completer) {}
LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::next(const std::string& prompt) {
    Interruption interruption;
    for (;;) {
        std::cout << prompt << std::flush;
        std::string line;
        if (std::getline(std::cin, line)) return line;
        if (interruption.signal() != Interruption::Signal::interrupt) return {};
        interruption.clear();
        std::cin.clear();
        std::cout << '\n';
    }
}

}  // namespace netcluster::ctl
