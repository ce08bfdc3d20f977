#include "mysql/reply.h"
#include "fuzz.h"
#include "mysql/response_tracker.h"

namespace tidemark::fuzz {
namespace {

using namespace mysql;

constexpr Command kCommands[] = {Command::Query,      Command::StmtPrepare, Command::StmtFetch,   Command::FieldList,
                                 Command::Statistics, Command::Ping,        Command::StmtExecute, Command::StmtClose};

struct Seen {
    std::size_t taken = 0;
    bool complete = false;
    bool failed = false;
    bool refused = false;
    std::uint16_t status = 0;
    bool operator==(const Seen&) const = default;
};

/// What a tracker makes of a response that comes in parts of `step` bytes; two LOAD DATA LOCAL at most.
Seen track(ByteView response, const Capabilities& agreed, Command command, std::size_t step) {
    ResponseTracker tracker(agreed);
    tracker.begin(command);
    Seen seen;
    try {
        for (int files = 0; seen.taken < response.size() && !tracker.complete();) {
            const ByteView part = response.subspan(seen.taken, std::min(step, response.size() - seen.taken));
            const std::size_t taken = tracker.feed(part);
            requireThat(taken <= part.size(), "a tracker takes no more than there is");
            seen.taken += taken;
            if (tracker.wantsFile() && ++files <= 2) tracker.fileSent(1);
            if (tracker.wantsFile() || (taken == 0 && !tracker.complete())) break;
        }
    } catch (const Error& error) {
        requireAnswer(error);
        seen = {};
        seen.refused = true;
        return seen;
    }
    seen.complete = tracker.complete();
    seen.failed = tracker.failed();
    seen.status = tracker.status();
    return seen;
}

Capabilities bits(std::uint8_t choice) {
    Capabilities agreed{.basic = capability::kProtocol41};
    if ((choice & 1) != 0) agreed.basic |= capability::kDeprecateEof;
    if ((choice & 2) != 0) agreed.basic |= capability::kSessionTrack;
    if ((choice & 4) != 0) agreed.extended |= extended::kCacheMetadata;
    if ((choice & 8) != 0) agreed.extended |= extended::kProgress;
    if ((choice & 16) != 0) agreed.extended |= extended::kMetadata;
    return agreed;
}

void runReply(ByteView input) {
    Choices choices(input);
    const Capabilities agreed = bits(choices.byte());
    const Command command = kCommands[choices.byte() % std::size(kCommands)];
    const std::size_t step = 1 + choices.byte() % 40;
    const ByteView response = choices.rest();
    requireThat(track(response, agreed, command, response.size()) == track(response, agreed, command, step),
                "where a response ends does not depend on how its bytes came");
    accepted([&] {
        std::size_t values = 0;
        for (const TextRow& row : parseTextResponse(response, agreed))
            values += row.size();
        requireThat(values <= response.size(), "a result has no more values than bytes");
    });
}

/// A result of any texts, as we write it, reads as it was.
void runRoundTrip(ByteView input) {
    Choices choices(input);
    const ReplyStyle style{.agreed = bits(choices.byte())};
    const std::size_t columns = 1 + choices.byte() % 5;
    std::vector<TextRow> rows;
    while (!choices.rest().empty()) {
        TextRow& row = rows.emplace_back();
        for (std::size_t i = 0; i < columns; ++i) {
            const bool null = choices.byte() == 0xff;
            row.push_back(null ? std::nullopt : std::optional(std::string(textOf(choices.longPart()))));
        }
    }
    const Bytes reply = resultReply(style, std::vector<std::string>(columns, "c"), rows, RowFormat::Text);
    promised([&] { requireThat(parseTextResponse(reply, style.agreed) == rows, "a result reads as it was written"); });
    const Seen seen = track(reply, style.agreed, Command::Query, 17);
    requireThat(seen.complete && seen.taken == reply.size(), "a result ends where it was ended");
}

Bytes seed(std::uint8_t choice, std::uint8_t command, const Bytes& response) {
    return ByteWriter().u8(choice).u8(command).u8(3).bytes(response).take();
}

std::vector<Bytes> replySeeds() {
    std::vector<Bytes> all;
    for (const int choice : {0, 1, 5, 31}) {
        const auto c = static_cast<std::uint8_t>(choice);
        const ReplyStyle style{.agreed = bits(c)};
        all.push_back(seed(c, 0, resultReply(style, {"a", "b"}, {{"1", std::nullopt}, {"x", "yy"}}, RowFormat::Text)));
        all.push_back(seed(c, 1, preparedReply(style, 3, 2)));
        all.push_back(seed(c, 5, okReply(style, 300)));
        all.push_back(seed(c, 0, errorReply(1, SqlCode{1064, "42000"}, "no")));
    }
    all.push_back(seed(0, 0,
                       packet(1, bytesOf("\xfb"
                                         "file.txt"))));
    return all;
}

std::vector<Bytes> roundTripSeeds() {
    return {ByteWriter().u8(5).u8(1).u8(0).u8(0).u8(2).text("ab").u8(0xff).u8(0).u8(0).take()};
}

const Registered registered_reply({"response", runReply, replySeeds});
const Registered registered_round_trip({"result", runRoundTrip, roundTripSeeds});

}  // namespace
}  // namespace tidemark::fuzz
