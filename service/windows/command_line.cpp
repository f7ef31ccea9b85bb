#include "command_line.hpp"

namespace netcluster::service {

std::wstring quoted(std::wstring_view word) {
    std::wstring line = L"\"";
    std::size_t backslashes = 0;  // before a quote each of them counts, elsewhere none
    for (const wchar_t letter : word) {
        if (letter == L'"') line.append(backslashes + 1, L'\\');
        backslashes = letter == L'\\' ? backslashes + 1 : 0;
        line += letter;
    }
    line.append(backslashes, L'\\');
    return line + L'"';
}

std::wstring commandLine(const std::vector<std::wstring>& words) {
    std::wstring line;
    for (const std::wstring& word : words) {
        if (!line.empty()) line += L' ';
        line += quoted(word);
    }
    return line;
}

}  // namespace netcluster::service
