#include "front/tenant_query.h"

#include "front/packet_stream.h"

namespace tidemark::front {

using namespace mysql;

namespace {
constexpr std::size_t kMaxAnswer = 64UL * 1024;
}

net::Awaitable<std::vector<TextRow>> queryTenant(Connection& connection, std::string_view statement) {
    net::Stream& tenant = *connection.tenant;
    ResponseTracker& tracker = *connection.tracker;
    ByteWriter query;
    query.u8(static_cast<std::uint8_t>(Command::Query)).text(statement);
    co_await writeAll(tenant, packet(0, query.data()));
    tracker.begin(Command::Query);
    Bytes answer;
    while (!tracker.complete()) {
        co_await tenant.fill();
        const ByteView part = tenant.buffered();
        const std::size_t used = tracker.feed(part);
        if (tracker.wantsFile() || answer.size() + used > kMaxAnswer) {
            throw Error(ErrorCode::Corrupt, "the tenant's answer to a question of the front is not what was asked for");
        }
        answer.insert(answer.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(used));
        tenant.consume(used);
    }
    co_return parseTextResponse(answer, connection.agreed);
}

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    throw Error(ErrorCode::Corrupt, "the tenant's answer is no hexadecimal text");
}

std::string fromHex(const std::optional<std::string>& hex) {
    std::string text;
    for (std::size_t i = 0; hex && i + 1 < hex->size(); i += 2) {
        text += static_cast<char>(nibble((*hex)[i]) << 4 | nibble((*hex)[i + 1]));
    }
    return text;
}

}  // namespace tidemark::front
