#include "name_table.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace netcluster;

namespace {

// Lengths around all those that the table reads differently.
constexpr std::size_t longest = 40;

std::string nameOf(std::size_t length) {
    std::string name;
    for (std::size_t i = 0; i < length; ++i) name += static_cast<char>('a' + i % 26);
    return name;
}

}  // namespace

TEST_CASE("a name is found by all of its bytes and its length, and by nothing less") {
    NameTable<std::size_t> table;
    for (std::size_t length = 0; length <= longest; ++length) {
        CHECK(table.find(nameOf(length)) == nullptr);
        table.add(nameOf(length), length);
    }
    for (std::size_t length = 0; length <= longest; ++length) {
        std::string name = nameOf(length);
        CAPTURE(name);
        REQUIRE(table.find(name));
        CHECK(*table.find(name) == length);
        for (char& byte : name) {
            byte ^= 1;
            CHECK(table.find(name) == nullptr);
            byte ^= 1;
        }
    }
}

TEST_CASE("bytes that are zero count, too") {
    NameTable<int> table;
    for (std::size_t length = 0; length <= longest; ++length) {
        CHECK(table.find(std::string(length, '\0')) == nullptr);
    }
    table.add(std::string(3, '\0'), 3);
    CHECK(table.find(std::string(3, '\0')));
    CHECK(table.find(std::string(2, '\0')) == nullptr);
    CHECK(table.find(std::string(4, '\0')) == nullptr);
    CHECK(table.find("") == nullptr);
}

TEST_CASE("the table does not look where a name was, only at what it is") {
    NameTable<char> table;
    std::string buffer = "sensor.x";
    table.add(buffer, 'x');
    buffer.back() = 'y';
    CHECK(table.find(buffer) == nullptr);
    table.add(buffer, 'y');
    CHECK(*table.find(buffer) == 'y');
    buffer.back() = 'x';
    CHECK(*table.find(buffer) == 'x');
}

TEST_CASE("values stay where they are while the table grows, and names alike do not crowd it") {
    NameTable<int> table;
    std::vector<int*> values;
    constexpr int count = 4096;
    const auto name = [](int i) { return "sensor." + std::to_string(i) + ".temperature"; };
    for (int i = 0; i < count; ++i) values.push_back(&table.add(name(i), i));
    CHECK(table.size() == count);
    for (int i = 0; i < count; ++i) {
        CHECK(table.find(name(i)) == values[static_cast<std::size_t>(i)]);
        CHECK(*values[static_cast<std::size_t>(i)] == i);
    }
    CHECK(table.find(name(count)) == nullptr);
}
