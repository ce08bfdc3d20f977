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

}  // namespace tidemark::front
