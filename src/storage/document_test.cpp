#include "storage/document.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "storage/memory_storage.h"
#include "testing/peak_memory.h"

namespace tidemark::storage {
namespace {

using ::testing::HasSubstr;

TEST(Document, IsOnlyReadAsWhatItIs) {
    const DocumentType type{"test", 1};
    MemoryStorage storage;
    storage.put("short", viewOf("x"));
    EXPECT_THROW(openDocument(type, storage, "short"), Error);
    storage.put("newer", sealDocument({"test", 2}, {{"a", 1}}));
    storage.put("other", sealDocument({"other", 1}, {{"a", 1}}));
    storage.put("good", sealDocument(type, {{"name", "caf\xe9"}}));
    EXPECT_THROW(openDocument(type, storage, "newer"), Error);
    EXPECT_THROW(openDocument(type, storage, "other"), Error);
    EXPECT_THROW(openDocument(type, storage, "absent"), Error);
    EXPECT_EQ(openDocument(type, storage, "good").content.at("name"), "caf\xef\xbf\xbd");
}

TEST(Document, AFieldIsNotTakenForSomethingElse) {
    const nlohmann::json content = {{"fits", 4294967295U}, {"large", 4294967296U}, {"huge", 18446744073709551615U},
                                    {"negative", -1},      {"broken", 1.5},        {"true", true}};
    const auto read = [&](auto kind, const char* name) {
        return readFields("place/key", [&] { return takeField<decltype(kind)>(content, name); });
    };
    EXPECT_EQ(read(std::uint32_t{}, "fits"), 4294967295U);
    EXPECT_EQ(read(std::int64_t{}, "negative"), -1);
    EXPECT_EQ(read(std::uint64_t{}, "huge"), 18446744073709551615U);
    for (const char* name : {"large", "huge", "negative", "broken", "true", "absent"})
        EXPECT_THROW(read(std::uint32_t{}, name), Error) << name;
    for (const char* name : {"negative", "broken", "true"})
        EXPECT_THROW(read(std::uint64_t{}, name), Error) << name;
    EXPECT_THROW(read(std::int64_t{}, "huge"), Error);
    try {
        read(std::uint32_t{}, "negative");
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_THAT(error.what(), HasSubstr("place/key has something impossible: negative is -1"));
    }
}

TEST(Document, OfANewerVersionIsReadIfThatSaysSo) {
    MemoryStorage storage;
    storage.put("may", sealDocument({"test", 3, 1}, {{"a", 1}, {"unknown", 2}}));
    storage.put("may not", sealDocument({"test", 3, 2}, {{"a", 1}}));
    storage.put("nothing said", sealDocument({"test", 2}, {{"a", 1}}));
    const Document document = openDocument({"test", 1}, storage, "may");
    EXPECT_EQ(document.version, 3);
    EXPECT_EQ(document.content.at("a"), 1);
    for (const char* key : {"may not", "nothing said"}) {
        try {
            openDocument({"test", 1}, storage, key);
            ADD_FAILURE() << key;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
            EXPECT_THAT(error.what(), HasSubstr(std::string(key) + " was written by a newer version of Tidemark"));
            EXPECT_EQ(error.hint(), "update Tidemark on this node");
        }
    }
    EXPECT_EQ(openDocument({"test", 2}, storage, "may not").content.at("a"), 1);
}

TEST(Document, IsNotWrittenLargerThanItIsRead) {
    EXPECT_THROW(sealDocument({"test", 1}, std::string(kLargestDocument, 'x')), Error);
    MemoryStorage storage;
    storage.put("d", sealDocument({"test", 1}, std::string(kLargestDocument - 1000, 'x')));
    EXPECT_EQ(openDocument({"test", 1}, storage, "d").content.get<std::string>().size(), kLargestDocument - 1000);
}

/// As a document with a right checksum.
Bytes sealedText(const std::string& content) {
    std::string text = R"({"kind": "test", "version": 1, "content": )" + content + "}\n";
    text += fmt::format("xxh3 {:016x}\n", xxh3(viewOf(text)));
    return {text.begin(), text.end()};
}

std::string refusalOf(const std::string& content) {
    MemoryStorage storage;
    storage.put("d", sealedText(content));
    try {
        openDocument({"test", 1}, storage, "d");
        return "nothing";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        return error.what();
    }
}

TEST(Document, TakesNoMoreMemoryThanARealOneWhateverItHolds) {
    const testing::PeakMemory memory;
    EXPECT_THAT(refusalOf("\"" + std::string(17 << 20, 'x') + "\""), HasSubstr("bytes, which cannot be right"));
    std::string flat = "[0";
    while (flat.size() < (15 << 20))
        flat += ",0";
    EXPECT_THAT(refusalOf(flat + "]"), HasSubstr("more than 1048576 values"));
    EXPECT_LT(memory.bytes(), 160U << 20);
}

TEST(Document, IsRefusedWhenItIsNestedDeeperThanAnyThatIsWritten) {
    const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_EQ(refusalOf(nested(10)), "nothing");
    EXPECT_THAT(refusalOf(nested(17)), HasSubstr("nested"));
    EXPECT_THAT(refusalOf(nested(7'000'000)), HasSubstr("nested"));
}

}  // namespace
}  // namespace tidemark::storage
