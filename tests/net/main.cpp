#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include "lab.hpp"

int main(int argc, char** argv) {
    if (const std::string why = netcluster::scenario::whyNoLab(); !why.empty()) {
        std::cout << "skipped: " << why << '\n';
        return 77;
    }
    return doctest::Context(argc, argv).run();
}
