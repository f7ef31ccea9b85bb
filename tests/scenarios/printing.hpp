// How failing checks show lists and tables.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace doctest {

template <typename Item>
struct StringMaker<std::vector<Item>> {
    static String convert(const std::vector<Item>& list) {
        std::ostringstream out;
        out << '[';
        for (const Item& item : list) out << ' ' << item;
        out << " ]";
        return out.str().c_str();
    }
};

template <typename Key, typename Value>
struct StringMaker<std::map<Key, Value>> {
    static String convert(const std::map<Key, Value>& table) {
        std::ostringstream out;
        out << '{';
        for (const auto& [key, value] : table) out << ' ' << key << ':' << value;
        out << " }";
        return out.str().c_str();
    }
};

}  // namespace doctest
