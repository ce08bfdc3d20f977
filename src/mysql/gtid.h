#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tidemark::mysql {

/// MariaDB's name of a transaction: "domain-server-sequence". Within a domain the sequence grows.
struct Gtid {
    std::uint32_t domain = 0;
    std::uint32_t server = 0;
    std::uint64_t sequence = 0;

    /// Throws InvalidRequest for anything but "D-S-N".
    static Gtid parse(std::string_view text);
    std::string text() const;
    auto operator<=>(const Gtid&) const = default;
};

/// A place in a binlog, as @@gtid_binlog_pos and @@gtid_slave_pos print it: the last transaction of every domain.
/// What it contains is decided by the sequence alone, as the server does in a log whose domains each have one writer at
/// a time; the archiver refuses a log in which a sequence goes backwards (see docs/decisions/archive.md).
class GtidPosition {
public:
    GtidPosition() = default;
    /// "1-1-5,2-1-7", blanks and line ends allowed, empty for the beginning. Throws InvalidRequest.
    static GtidPosition parse(std::string_view text);
    std::string text() const;

    /// Makes `gtid` the last transaction of its domain.
    void set(const Gtid& gtid) { last_[gtid.domain] = gtid; }
    bool contains(const Gtid& gtid) const;
    /// Whether everything in `other` is in this.
    bool contains(const GtidPosition& other) const;

    bool empty() const { return last_.empty(); }
    const std::map<std::uint32_t, Gtid>& domains() const { return last_; }
    bool operator==(const GtidPosition&) const = default;

private:
    std::map<std::uint32_t, Gtid> last_;
};

}  // namespace tidemark::mysql
