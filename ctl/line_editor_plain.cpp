#include <iostream>

#include "line_editor.hpp"

namespace netcluster::ctl {

class LineEditor::Impl {};

LineEditor::LineEditor(Completer) {}
LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::next(const std::string& prompt) {
    std::cout << prompt << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) return {};
    return line;
}

}  // namespace netcluster::ctl
