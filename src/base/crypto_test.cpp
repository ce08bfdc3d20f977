#include "base/crypto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace tidemark {
namespace {

std::string hex(ByteView bytes) {
    std::ostringstream out;
    for (const int byte : bytes)
        out << std::hex << byte / 16 << byte % 16;
    return out.str();
}

TEST(Crypto, GcmIsAsNistTellsIt) {
    const Bytes key(kKeySize), nonce(kNonceSize);
    Bytes bytes(16), tag(kTagSize);
    gcmSeal(key, nonce, {}, bytes, tag);
    EXPECT_EQ(hex(bytes), "cea7403d4d606b6e074ec5d3baf39d18");
    EXPECT_EQ(hex(tag), "d0d1c8a799996bf0265b98b5d48ab919");
    EXPECT_TRUE(gcmOpen(key, nonce, {}, bytes, tag));
    EXPECT_EQ(bytes, Bytes(16));
    Bytes nothing;
    gcmSeal(key, nonce, {}, nothing, tag);
    EXPECT_EQ(hex(tag), "530f8afbc74536b9a963b4f1c4cb738b");
}

TEST(Crypto, GcmRefusesWhateverWasChanged) {
    const Secret key = Secret::random(kKeySize);
    const Bytes nonce(kNonceSize, 1);
    const std::string text = "something that is longer than a block";
    const Bytes plain(text.begin(), text.end());
    Bytes sealed = plain, tag(kTagSize);
    gcmSeal(key.bytes(), nonce, viewOf("here"), sealed, tag);
    const auto opens = [&](const Secret& with, Bytes at, std::string_view identity, Bytes bytes, Bytes its_tag) {
        return gcmOpen(with.bytes(), at, viewOf(identity), bytes, its_tag);
    };
    EXPECT_TRUE(opens(key, nonce, "here", sealed, tag));
    EXPECT_FALSE(opens(Secret::random(kKeySize), nonce, "here", sealed, tag));
    EXPECT_FALSE(opens(key, Bytes(kNonceSize, 2), "here", sealed, tag));
    EXPECT_FALSE(opens(key, nonce, "there", sealed, tag));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes changed = sealed;
        changed[i] ^= 1;
        EXPECT_FALSE(opens(key, nonce, "here", changed, tag)) << i;
    }
    for (std::size_t i = 0; i < kTagSize; ++i) {
        Bytes changed = tag;
        changed[i] ^= 0x80;
        EXPECT_FALSE(opens(key, nonce, "here", sealed, changed)) << i;
    }
    EXPECT_FALSE(opens(key, nonce, "here", sealed, Bytes(4)));
}

TEST(Crypto, WhatIsSealedAloneOpensUnderItsIdentity) {
    const Secret key = Secret::random(kKeySize);
    for (const std::size_t size : {0, 1, 5000}) {
        const Bytes plain(size, 'x');
        const Bytes sealed = sealAlone(key.bytes(), viewOf("a"), plain);
        EXPECT_NE(sealed, sealAlone(key.bytes(), viewOf("a"), plain)) << "a nonce came twice";
        const auto opened = openAlone(key.bytes(), viewOf("a"), sealed);
        ASSERT_TRUE(opened);
        EXPECT_TRUE(std::equal(plain.begin(), plain.end(), opened->bytes().begin(), opened->bytes().end()));
        EXPECT_FALSE(openAlone(key.bytes(), viewOf("b"), sealed));
        EXPECT_FALSE(openAlone(key.bytes(), viewOf("a"), ByteView(sealed).first(sealed.size() - 1)));
    }
    EXPECT_FALSE(openAlone(key.bytes(), viewOf("a"), Bytes(10)));
}

TEST(Crypto, ScryptAndHkdfAreAsTheirRfcsTell) {
    EXPECT_EQ(hex(passwordKey("password", viewOf("NaCl"), {.n = 1024, .r = 8, .p = 16}).bytes()),
              "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
    EXPECT_EQ(hex(deriveKey(Secret::copyOf(Bytes(22, 0x0b)), {}).bytes()),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(Crypto, APasswordIsNotTriedAtAnyCost) {
    for (const ScryptCost& cost : {ScryptCost{.n = 0},
                                   {.n = 3},
                                   {.n = 1ULL << 63},
                                   {.r = 0},
                                   {.p = 0},
                                   {.p = 17},
                                   {.n = 1 << 21},
                                   {.n = 1 << 17, .r = 1 << 30}}) {
        EXPECT_THROW(passwordKey("x", viewOf("salt"), cost), Error) << cost.n << " " << cost.r << " " << cost.p;
    }
}

TEST(Crypto, AKeyedHashDependsOnItsKey) {
    const Secret one = Secret::random(kKeySize), other = Secret::random(kKeySize);
    const Bytes page(16384, 3);
    const auto same = [](const KeyedHash& a, const KeyedHash& b) { return a.low == b.low && a.high == b.high; };
    EXPECT_TRUE(same(keyedHash(one.bytes(), page), keyedHash(one.bytes(), page)));
    EXPECT_FALSE(same(keyedHash(one.bytes(), page), keyedHash(other.bytes(), page)));
    EXPECT_FALSE(same(keyedHash(one.bytes(), page), keyedHash(one.bytes(), ByteView(page).first(16383))));
    EXPECT_FALSE(same(keyedHash(one.bytes(), Bytes(16)), keyedHash(one.bytes(), Bytes(32)))) << "zeros count";
}

/// What /proc tells of the mapping that an address is in.
std::string flagsOf(const void* address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream maps("/proc/self/smaps");
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0, end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = begin <= wanted && wanted < end;
        if (inside && line.starts_with("VmFlags:")) return line + " ";
    }
    return {};
}

TEST(Secret, IsKeptOutOfCoreFilesAndSwap) {
    const Secret secret = Secret::copyOf(viewOf("word"));
    EXPECT_EQ(secret.text(), "word");
    const std::string flags = flagsOf(secret.bytes().data());
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
    EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
}

TEST(Secret, MovesAndIsGone) {
    Secret one = Secret::copyOf(viewOf("word"));
    Secret other = std::move(one);
    EXPECT_TRUE(one.empty());
    EXPECT_EQ(other.copy().text(), "word");
    other = Secret();
    EXPECT_TRUE(other.empty());
}

TEST(Secret, WipesTextsAndBytes) {
    std::string text = "a word that is too long to lie in the object itself";
    const char* at = text.data();
    { const Wiped end(text); }
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(std::string_view(at, 6), std::string_view("\0\0\0\0\0\0", 6));
}

}  // namespace
}  // namespace tidemark
