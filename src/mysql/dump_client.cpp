#include "mysql/dump_client.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tidemark::mysql {

DumpClient::DumpClient(const Endpoint& endpoint, const DumpOptions& options, std::stop_token stop)
    : client_(endpoint, std::move(stop)), last_heard_(std::chrono::steady_clock::now()) {
    const auto period = std::chrono::nanoseconds(options.heartbeat).count();
    // The order and words of MariaDB's own replica. Strict: a position that the binlog does not have is an error.
    client_.query(fmt::format("SET @master_heartbeat_period= {}", period));
    client_.query("SET @master_binlog_checksum= @@global.binlog_checksum");
    client_.query("SET @mariadb_slave_capability=4");
    client_.query(fmt::format("SET @slave_connect_state='{}'", options.position.text()));
    client_.query("SET @slave_gtid_strict_mode=1");
    client_.query("SET @slave_gtid_ignore_duplicates=0");
    ByteWriter registration;
    registration.u8(0x15).u32(options.server_id).u8(0).u8(0).u8(0).u16(0).u32(0).u32(0);
    client_.command(registration.data());
    constexpr std::uint16_t kSendAnnotateRows = 2;
    ByteWriter dump;
    dump.u8(0x12).u32(4).u16(kSendAnnotateRows).u32(options.server_id);
    client_.connection().beginExchange();
    client_.connection().writeMessage(dump.data());
}

ByteView DumpClient::beginEvent(ByteView payload) {
    if (payload.empty()) throw Error(ErrorCode::Corrupt, "an empty packet in the binlog stream");
    if (payload[0] == 0xff) throwErrPacket(payload, "reading the binlog");
    if (payload[0] == 0xfe && payload.size() < 9) {
        throw Error(ErrorCode::Unavailable, "the server ended the binlog stream");
    }
    if (payload[0] != 0) throw Error(ErrorCode::Corrupt, fmt::format("a binlog packet begins with {}", payload[0]));
    const ByteView bytes = payload.subspan(1);
    header_ = parseEventHeader(bytes);
    checksum_.emplace(header_.size);
    event_left_ = header_.size;
    return bytes;
}

std::optional<DumpClient::Part> DumpClient::next(Deadline deadline, const Waker* waker) {
    const auto packet = client_.connection().readPacket(deadline, waker);
    if (!packet) {
        if (std::chrono::steady_clock::now() - last_heard_ > kSilenceLimit) {
            throw Error(ErrorCode::Unavailable,
                        fmt::format("the server has not been heard of for {} s", kSilenceLimit.count()));
        }
        return std::nullopt;
    }
    last_heard_ = std::chrono::steady_clock::now();
    const bool first = !checksum_;
    const ByteView bytes = first ? beginEvent(packet->payload) : packet->payload;
    if (bytes.size() > event_left_ || (!packet->continued && bytes.size() != event_left_)) {
        throw Error(ErrorCode::Corrupt,
                    fmt::format("a binlog event of {} bytes arrives with another size", header_.size));
    }
    checksum_->add(bytes);
    event_left_ -= bytes.size();
    const bool last = !packet->continued;
    if (last) {
        if (!checksum_->matches()) {
            throw Error(ErrorCode::Corrupt,
                        fmt::format("the checksum of a binlog event (type {}, {} bytes, ends at {}) is wrong",
                                    static_cast<int>(header_.type), header_.size, header_.end_position));
        }
        checksum_.reset();
    }
    return Part{header_, bytes, first, last};
}

}  // namespace tidemark::mysql
