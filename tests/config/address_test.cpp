// address_text.cpp: which addresses there are.
#include <doctest/doctest.h>

#include "address_text.hpp"

namespace netcluster::config::test {

TEST_CASE("multicast groups of both families are known in every spelling") {
    for (const char* address :
         {"224.0.0.0", "239.255.255.255", "232.1.2.3", "ff02::1", "FF15::", "ff15:0:0:0:0:0:0:4454",
          "ff15::1:2:3:4:5:6", "ff02::1:ff00:0", "ff05::239.255.44.54", "ff15:1:2:3:4:5:6:7",
          "ff15:1:2:3:4:5:6::"}) {
        CAPTURE(address);
        CHECK(isMulticast(address));
    }
}

TEST_CASE("what is no multicast address is not taken for one") {
    for (const char* address : {"",
                                ".",
                                ":",
                                "::",
                                ":::",
                                "ff",
                                "ff02:",
                                "ff02::1::2",
                                "ff02:::1",
                                "ff02::12345",
                                "ff02::g",
                                "ff15:1:2:3:4:5:6:7:8",
                                "ff15:1:2:3:4:5:6",
                                "ff15:1:2:3:4:5:6:7::",
                                "ff15::1:2:3:4:5:6:7:8",
                                "ff02::1.2.3",
                                "ff02::1.2.3.4:5",
                                "ff15:1.2.3.4::",
                                "1.2.3.4::",
                                "ff02::1%eth0",
                                "[ff02::1]",
                                "239.1.2.3.4",
                                "239.1.2.",
                                "239..2.3",
                                "239.1.2.0x3",
                                "239.1.2.-3",
                                "0239.1.2.3",
                                "192.168.0.1",
                                "2001:db8::1"}) {
        CAPTURE(address);
        CHECK_FALSE(isMulticast(address));
    }
}

TEST_CASE("a peer is split at its last colon") {
    CHECK(splitHostPort("host:4454") == HostPort{"host", 4454});
    CHECK(splitHostPort("[2001:db8::5]:1") == HostPort{"2001:db8::5", 1});
    CHECK_FALSE(splitHostPort("2001:db8::5:1"));
    CHECK_FALSE(splitHostPort("host"));
    CHECK_FALSE(splitHostPort(std::string(254, 'h') + ":1"));
}

}  // namespace netcluster::config::test
