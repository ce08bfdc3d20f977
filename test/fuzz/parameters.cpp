#include "fuzz.h"
#include "mysql/packet.h"
#include "mysql/prepared.h"

namespace tidemark::fuzz {
namespace {

/// Values as a client sends them are the values that come out.
void runValues(ByteView input) {
    Choices choices(input);
    std::vector<mysql::Value> values;
    ByteWriter types, sent;
    Bytes nulls;
    while (!choices.rest().empty() && values.size() < 70) {
        if (values.size() % 8 == 0) nulls.push_back(0);
        switch (choices.byte() % 4) {
            case 0:
                nulls.back() |= static_cast<std::uint8_t>(1U << values.size() % 8);
                values.emplace_back(nullptr);
                types.u16(6);
                break;
            case 1:
                values.emplace_back(std::int64_t{static_cast<std::int32_t>(choices.number())});
                types.u16(3);
                sent.u32(static_cast<std::uint32_t>(std::get<std::int64_t>(values.back())));
                break;
            case 2:
                values.emplace_back(std::uint64_t{choices.number()} << 32 | choices.number());
                types.u16(0x8008);
                sent.u64(std::get<std::uint64_t>(values.back()));
                break;
            default:
                values.emplace_back(std::string(textOf(choices.longPart())));
                types.u16(253);
                mysql::writeLenencString(sent, std::get<std::string>(values.back()));
        }
    }
    mysql::ParameterState state{.count = static_cast<std::uint16_t>(values.size()), .types = {}, .long_data = {}};
    const Bytes payload =
        ByteWriter().u8(0x17).u32(1).u8(0).u32(1).bytes(nulls).u8(1).bytes(types.data()).bytes(sent.data()).take();
    promised(
        [&] { requireThat(mysql::decodeParameters(payload, state) == values, "values come out as they were sent"); });
}

/// COM_STMT_EXECUTE twice, for a server remembers the types.
void runParameters(ByteView input) {
    runValues(input);
    Choices choices(input);
    mysql::ParameterState state{.count = static_cast<std::uint16_t>(choices.byte() % 70), .types = {}, .long_data = {}};
    const std::uint8_t long_data = choices.byte();
    if (long_data % 4 == 1) state.long_data[long_data / 4] = "long";
    const ByteView first = choices.longPart();
    for (const ByteView payload : {first, choices.rest()}) {
        accepted([&] {
            const auto values = mysql::decodeParameters(payload, state);
            requireThat(values.size() == state.count, "each parameter has a value");
        });
    }
}

std::vector<Bytes> parametersSeeds() {
    ByteWriter execute;
    execute.u8(0x17).u32(1).u8(0).u32(1).u8(0x10).u8(1);
    for (const int type : {3, 253, 12, 11, 6, 5})
        execute.u8(static_cast<std::uint8_t>(type)).u8(type == 3 ? 0x80 : 0);
    execute.u32(42).u8(3).text("abc").u8(7).u16(2026).u8(11).u8(26).u8(1).u8(2).u8(3);
    execute.u8(8).u8(1).u32(2).u8(3).u8(4).u8(5).u64(0x3ff8000000000000);
    const Bytes payload = execute.take();
    ByteWriter seed;
    seed.u8(6).u8(0).u8(static_cast<std::uint8_t>(payload.size() >> 8)).u8(static_cast<std::uint8_t>(payload.size()));
    ByteWriter values;
    for (std::uint8_t i = 0; i < 12; ++i)
        values.u8(i % 4).u32(i % 4 == 0 ? 0 : 2);
    return {seed.bytes(payload).bytes(payload).take(), values.take()};
}

const Registered registered_parameters({"parameters", runParameters, parametersSeeds});

}  // namespace
}  // namespace tidemark::fuzz
