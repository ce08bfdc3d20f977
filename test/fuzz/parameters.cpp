#include "fuzz.h"
#include "mysql/packet.h"
#include "mysql/prepared.h"

namespace tidemark::fuzz {
namespace {

/// COM_STMT_EXECUTE twice, for a server remembers the types.
void runParameters(ByteView input) {
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
    return {seed.bytes(payload).bytes(payload).take()};
}

const Registered registered_parameters({"parameters", runParameters, parametersSeeds});

}  // namespace
}  // namespace tidemark::fuzz
