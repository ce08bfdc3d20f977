#include "archive/group_receiver.h"
#include "archive/log_stream.h"
#include "base/hash.h"
#include "fuzz.h"
#include "mysql/handshake.h"
#include "mysql/session_settings.h"
#include "read_archive.h"
#include "scripted_peer.h"
#include "storage/memory_storage.h"

/// A tenant's server as the archiver meets it: its greeting, its answers, its binlog; and what becomes of that.
namespace tidemark::fuzz {
namespace {

using namespace mysql;

constexpr archive::RoundKey kDumpRound{1001, 1};
constexpr std::uint8_t kFramed = 1;  ///< of the first byte: logged in, packets and events are made right
constexpr std::size_t kBeforeDump = kSessionSettings.size() + 6 + 1;  // DumpClient's own statements, and registering

void addPacket(Bytes& to, std::uint8_t number, ByteView payload) {
    const Bytes framed = packet(number, payload);
    to.insert(to.end(), framed.begin(), framed.end());
}

/// Everything up to the request for the binlog.
Bytes beforeDump() {
    Bytes all;
    const Greeting hello{.version = "5.5.5-10.11.14-MariaDB",
                         .thread_id = 7,
                         .scramble = Bytes(kScrambleSize, 's'),
                         .capabilities = {.basic = 0x81fff7fe, .extended = 4},
                         .plugin = "mysql_native_password"};
    const Bytes ok = ByteWriter().u8(0).u8(0).u8(0).u16(2).u16(0).take();
    addPacket(all, 0, buildGreeting(hello));
    addPacket(all, 2, ok);
    for (std::size_t i = 0; i < kBeforeDump; ++i)
        addPacket(all, 1, ok);
    return all;
}

/// Size and checksum of an event as they have to be, so that what is behind them is met.
Bytes sealedEvent(ByteView bytes) {
    Bytes event(bytes.begin(), bytes.end());
    if (event.size() < kEventHeaderSize) event.resize(kEventHeaderSize);
    const Bytes size = ByteWriter().u32(static_cast<std::uint32_t>(event.size() + kEventChecksumSize)).take();
    std::copy(size.begin(), size.end(), event.begin() + 9);
    const Bytes sum = ByteWriter().u32(crc32(event)).take();
    event.insert(event.end(), sum.begin(), sum.end());
    return event;
}

Bytes conversation(ByteView events) {
    static const Bytes kBegin = beforeDump();
    Bytes all = kBegin;
    Choices choices(events);
    for (std::uint8_t number = 1; !choices.rest().empty(); ++number)
        addPacket(all, number, ByteWriter().u8(0).bytes(sealedEvent(choices.longPart())).data());
    return all;
}

void receive(const std::string& socket, archive::RoundWriter& round) {
    const ManualClock clock(2'000'000'000 * kSecond);
    archive::GroupReceiver receiver(round, clock, {GtidPosition::parse("0-1-3"), 1'900'000'000 * kSecond});
    DumpClient client({.socket = socket, .user = "u", .password = "p"}, {.server_id = 9, .position = {}}, {});
    while (const auto part = client.next(after(std::chrono::seconds(5))))
        receiver.take(*part);
}

void runDump(ByteView input) {
    Choices choices(input);
    const bool framed = (choices.byte() & kFramed) != 0;
    const ByteView rest = choices.rest();
    const ScriptedServer server(framed ? conversation(rest) : Bytes(rest.begin(), rest.end()));
    storage::MemoryStorage place;
    archive::RoundWriter round(place, {kDumpRound, 1002, 1}, [] { return archive::RoundWriter::StartPoint{1000, {}}; });
    accepted([&] {
        try {
            receive(server.socket(), round);
        } catch (const archive::Interruption&) {
            // an answer, too
        }
    });
    // What was taken for whole transactions reads back as that.
    promised([&] {
        if (round.usable()) round.flush();
        const archive::ArchiveReader reader(place);
        for (const auto& transaction : transactionsOf(reader, kDumpRound))
            requireTransaction(transaction);
    });
}

Bytes dumpEvent(EventType type, ByteView body) {
    ByteWriter out;
    out.u32(1700000000).u8(static_cast<std::uint8_t>(type)).u32(1).u32(0).u32(4).u16(0).bytes(body);
    return ByteWriter()
        .u8(static_cast<std::uint8_t>(out.size() >> 8))
        .u8(static_cast<std::uint8_t>(out.size()))
        .bytes(out.data())
        .take();
}

std::vector<Bytes> dumpSeeds() {
    const auto gtid = [](std::uint64_t sequence, std::uint8_t flags) {
        return dumpEvent(EventType::Gtid, ByteWriter().u64(sequence).u32(0).u8(flags).bytes(Bytes(6)).data());
    };
    const auto query = [](std::string_view text) {
        return dumpEvent(EventType::Query,
                         ByteWriter().u32(1).u32(0).u8(1).u16(0).u16(0).nulTerminated("d").text(text).data());
    };
    ByteWriter log;
    log.bytes(dumpEvent(EventType::Rotate, ByteWriter().u64(4).text("bin.000001").data()));
    log.bytes(dumpEvent(EventType::FormatDescription,
                        ByteWriter().u16(4).bytes(Bytes(50, 'v')).u32(1).u8(19).bytes(Bytes(30, 1)).u8(1).data()));
    log.bytes(gtid(17, kGtidTransactional)).bytes(query("INSERT INTO t VALUES (1)"));
    log.bytes(dumpEvent(EventType::Xid, Bytes(8)));
    log.bytes(gtid(18, kGtidStandalone | kGtidDdl)).bytes(query("CREATE TABLE t (a INT)"));
    log.bytes(gtid(19, 0)).bytes(query("BEGIN")).bytes(query("COMMIT"));
    const Bytes events = log.take();
    const Bytes raw = conversation(events);
    // A file ends in the midst of a transaction, and the next one has the same format.
    const Bytes format =
        dumpEvent(EventType::FormatDescription,
                  ByteWriter().u16(4).bytes(Bytes(50, 'v')).u32(0).u8(19).bytes(Bytes(30, 1)).u8(1).data());
    log.u8(kFramed).bytes(format).bytes(gtid(17, kGtidTransactional)).bytes(query("INSERT INTO t VALUES (1)"));
    log.bytes(format).bytes(gtid(17, kGtidTransactional)).bytes(dumpEvent(EventType::Xid, Bytes(8)));
    return {ByteWriter().u8(kFramed).bytes(events).take(), ByteWriter().u8(0).bytes(raw).take(), log.take()};
}

const Registered registered_dump({"dump", runDump, dumpSeeds});

}  // namespace
}  // namespace tidemark::fuzz
