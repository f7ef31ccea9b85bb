#include "table.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "escape.hpp"

namespace netcluster::ctl {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::size_t widthOf(const Rows& rows, std::size_t column) {
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, displayWidth(row[column]));
    return width;
}

bool isNumber(const std::string& cell) {
    return cell.find_first_not_of("0123456789.-") == std::string::npos;
}

/// The heading does not count.
bool isNumeric(const Rows& rows, std::size_t column) {
    return std::all_of(rows.begin() + 1, rows.end(),
                       [column](const auto& row) { return isNumber(row[column]); });
}

std::string padded(const std::string& cell, std::size_t width, bool right) {
    const std::string blanks(width - displayWidth(cell), ' ');
    return right ? blanks + cell : cell + blanks;
}

void endLine(std::string& text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
    text += '\n';
}

}  // namespace

Table::Table(std::vector<std::string> headings) {
    rows_.push_back(std::move(headings));
}

void Table::add(std::vector<std::string> cells) {
    assert(cells.size() == rows_.front().size());
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    std::vector<bool> right;
    for (std::size_t column = 0; column < rows_.front().size(); ++column) {
        widths.push_back(widthOf(rows_, column));
        right.push_back(isNumeric(rows_, column));
    }
    std::string text;
    for (const auto& row : rows_) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            if (column > 0) text += "  ";
            text += padded(row[column], widths[column], right[column]);
        }
        endLine(text);
    }
    return text;
}

std::string fieldsText(const std::vector<Field>& fields, const std::string& indent) {
    std::size_t width = 0;
    for (const auto& [name, value] : fields) width = std::max(width, displayWidth(name));
    std::string text;
    for (const auto& [name, value] : fields) {
        text += indent + padded(name, width, false) + "  " + value;
        endLine(text);
    }
    return text;
}

}  // namespace netcluster::ctl
