#include <doctest/doctest.h>

#include "doctor_commands.hpp"

using namespace netcluster::ctl;
using type::Commands;

TEST_CASE("doctor's commands on Windows: an interface, the firewall, the service") {
    CHECK(type::bringUp("Ethernet") == Commands{"Enable-NetAdapter 'Ethernet'"});
    CHECK(type::letIn("4454").front().find("-LocalPort 4454 -Action Allow") != std::string::npos);
    CHECK(type::daemonStatus() == Commands{"Get-Service netcluster"});
}

TEST_CASE("doctor's commands on Windows: a name stays one word, whatever is in it") {
    CHECK(type::bringUp("it's; $(reboot)") == Commands{"Enable-NetAdapter 'it''s; $(reboot)'"});
}
