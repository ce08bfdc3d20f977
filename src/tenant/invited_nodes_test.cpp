#include "tenant/invited_nodes.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(InvitedNodes, AreAddressesPatternsAndNetworks) {
    EXPECT_TRUE(isInvited("%", "10.1.2.3"));
    EXPECT_TRUE(isInvited("%", "2001:db8::7"));
    EXPECT_TRUE(isInvited("127.0.0.1, 10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(isInvited("127.0.0.1,10.1.2.3", "10.1.2.33"));
    EXPECT_TRUE(isInvited("::1", "::1"));
    EXPECT_TRUE(isInvited("10.1.2.3", "::ffff:10.1.2.3"));

    EXPECT_TRUE(isInvited("10.1.%", "10.1.2.3"));
    EXPECT_FALSE(isInvited("10.1.%", "10.10.2.3"));
    EXPECT_TRUE(isInvited("10.1.2._", "10.1.2.3"));
    EXPECT_FALSE(isInvited("10.1.2._", "10.1.2.33"));
    EXPECT_TRUE(isInvited("%.2.%3", "10.2.2.33"));
    EXPECT_FALSE(isInvited("%.2.%3", "10.3.1.33"));

    EXPECT_TRUE(isInvited("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(isInvited("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(isInvited("192.168.4.0/22", "192.168.7.255"));
    EXPECT_FALSE(isInvited("192.168.4.0/22", "192.168.8.0"));
    EXPECT_TRUE(isInvited("192.168.4.0/255.255.252.0", "192.168.7.255"));
    EXPECT_FALSE(isInvited("192.168.4.0/255.255.252.0", "192.168.8.0"));
    EXPECT_TRUE(isInvited("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(isInvited("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(isInvited("2001:db8::/32", "2001:db8:1::1"));
    EXPECT_FALSE(isInvited("2001:db8::/32", "2001:db9::1"));
}

TEST(InvitedNodes, NonsenseInvitesNobody) {
    for (const char* list : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/255.0.255.0", "localhost", "10.0.0",
                             "example.%", "::/129", "1.2.3.4/8/8"}) {
        EXPECT_FALSE(isInvitedList(list)) << list;
        EXPECT_FALSE(isInvited(list, "10.0.0.1")) << list;
    }
    EXPECT_TRUE(isInvitedList("127.0.0.1,10.1.%,10.0.0.0/8,::1,fe80::/10"));
    EXPECT_TRUE(isInvitedList(""));
    EXPECT_FALSE(isInvited("", "127.0.0.1"));
}

}  // namespace
}  // namespace tidemark
