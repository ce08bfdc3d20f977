#include "mysql/prepared.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "base/random.h"

namespace tidemark::mysql {
namespace {

ByteWriter execution(std::uint8_t nulls, bool with_types, const std::vector<std::pair<int, bool>>& types) {
    ByteWriter writer;
    writer.u8(0x17).u32(0x80000000).u8(0).u32(1).u8(nulls).u8(with_types ? 1 : 0);
    for (const auto& [type, is_unsigned] : types) {
        writer.u8(static_cast<std::uint8_t>(type)).u8(is_unsigned ? 0x80 : 0);
    }
    return writer;
}

TEST(Prepared, DecodesEveryKindOfParameter) {
    ParameterState state{.count = 8};
    ByteWriter payload = execution(
        0b0000'0100, true,
        {{1, false}, {8, true}, {253, false}, {5, false}, {12, false}, {11, false}, {246, false}, {4, false}});
    payload.u8(0xff).u64(~0ULL);
    payload.u64(std::bit_cast<std::uint64_t>(0.5));
    payload.u8(11).u16(2026).u8(11).u8(21).u8(9).u8(30).u8(1).u32(250'000);
    payload.u8(8).u8(1).u32(1).u8(2).u8(3).u8(4);
    payload.u8(4).text("12.5");
    payload.u32(std::bit_cast<std::uint32_t>(1.25F));
    const auto values = decodeParameters(payload.data(), state);
    const std::vector<Value> expected{
        std::int64_t{-1},         ~std::uint64_t{0},   nullptr, 0.5, std::string("2026-11-21 09:30:01.250000"),
        std::string("-26:03:04"), std::string("12.5"), 1.25};
    EXPECT_EQ(values, expected);
}

TEST(Prepared, RemembersTypesForTheNextExecution) {
    ParameterState state{.count = 1};
    decodeParameters(execution(0, true, {{3, false}}).u32(5).data(), state);
    EXPECT_EQ(decodeParameters(execution(0, false, {}).u32(6).data(), state), std::vector<Value>{std::int64_t{6}});
    ParameterState fresh{.count = 1};
    EXPECT_THROW(decodeParameters(execution(0, false, {}).u32(6).data(), fresh), Error);
}

TEST(Prepared, LongDataStandsForTheValue) {
    ParameterState state{.count = 2, .long_data = {{0, "sent before"}}};
    const auto values = decodeParameters(execution(0, true, {{252, false}, {3, false}}).u32(9).data(), state);
    EXPECT_EQ(values, (std::vector<Value>{std::string("sent before"), std::int64_t{9}}));
}

TEST(Prepared, ShortDatesAreFilledUp) {
    ParameterState state{.count = 3};
    ByteWriter payload = execution(0, true, {{12, false}, {10, false}, {7, false}});
    payload.u8(0).u8(4).u16(2026).u8(1).u8(2).u8(4).u16(2026).u8(1).u8(2);
    EXPECT_EQ(decodeParameters(payload.data(), state),
              (std::vector<Value>{std::string("0000-00-00 00:00:00"), std::string("2026-01-02"),
                                  std::string("2026-01-02 00:00:00")}));
}

TEST(Prepared, SurvivesMutatedExecutions) {
    const std::uint32_t seed = randomU32();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const Bytes original = execution(1, true, {{8, false}, {253, false}, {12, false}, {11, false}})
                               .u8(5)
                               .text("hello")
                               .u8(4)
                               .u16(2026)
                               .u8(1)
                               .u8(1)
                               .u8(0)
                               .take();
    for (int round = 0; round < 5000; ++round) {
        Bytes bytes = original;
        for (unsigned i = random() % 5; i > 0; --i)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (random() % 3 == 0) bytes.resize(random() % bytes.size());
        ParameterState state{.count = static_cast<std::uint16_t>(random() % 6)};
        try {
            decodeParameters(bytes, state);
        } catch (const Error&) {
            continue;
        }
    }
}

}  // namespace
}  // namespace tidemark::mysql
