#include <doctest/doctest.h>

#include "doctor_commands.hpp"

using namespace netcluster::ctl;
using type::Commands;

TEST_CASE("doctor's commands on Linux: an interface, a buffer, the firewall") {
    CHECK(type::bringUp("eth0") == Commands{"ip link set dev eth0 up"});
    CHECK(type::raiseBuffer("send", "4194304").front() == "sysctl -w net.core.wmem_max=4194304");
    CHECK(type::letIn("4454") == Commands{"nft add rule inet filter input udp dport 4454 accept"});
    CHECK(type::daemonStatus() == Commands{"systemctl status netcluster"});
}

TEST_CASE("doctor's commands on Linux: a name that is not plain is quoted") {
    CHECK(type::bringUp("eth0;reboot'") == Commands{"ip link set dev 'eth0;reboot'\\''' up"});
    CHECK(type::daemonLog("link: on").front() == "journalctl -u netcluster | grep 'link: on'");
}
