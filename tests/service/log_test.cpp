// Lines for the journal. In a process of its own, whose standard error is a pipe that this one
// reads.
#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "system_log.hpp"

namespace netcluster::service {
namespace {

/// What `speak` writes to standard error, which is the journal's stream if `journal`.
std::string said(bool journal, const std::function<void()>& speak) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::cout.flush();  // or the child would write it again
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        struct stat status {};
        fstat(STDERR_FILENO, &status);
        const std::string stream =
            std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino + !journal);
        setenv("JOURNAL_STREAM", stream.c_str(), 1);
        speak();
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    return text;
}

void logEach() {
    spdlog::logger logger("test", systemSink());
    logger.set_level(spdlog::level::trace);
    logger.trace("a");
    logger.debug("b");
    logger.info("c");
    logger.warn("d");
    logger.error("e");
    logger.critical("f");
}

}  // namespace

TEST_CASE("each level of the log is a priority of the journal") {
    CHECK(said(true, logEach) == "<7>a\n<7>b\n<6>c\n<4>d\n<3>e\n<2>f\n");
}

TEST_CASE("a message of several lines has its priority on each") {
    CHECK(said(true, [] { spdlog::logger("test", systemSink()).warn("one\ntwo\n\nfour"); }) ==
          "<4>one\n<4>two\n<4>\n<4>four\n");
    CHECK(said(true, [] { tell(spdlog::level::err, "one\ntwo"); }) == "<3>one\n<3>two\n");
}

TEST_CASE("a stream that is not the journal's has times, levels and no priorities") {
    const std::string line = said(false, [] { spdlog::logger("test", systemSink()).warn("x"); });
    CHECK(line.starts_with("2"));  // a year
    CHECK(line.ends_with(" warning: x\n"));
    CHECK(said(false, [] { tell(spdlog::level::err, "x"); }) == "x\n");
}

}  // namespace netcluster::service
