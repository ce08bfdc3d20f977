#pragma once

#include <cstdint>
#include <string>

namespace tidemark {

/// Nanoseconds since 1970-01-01 UTC. Also the unit of an SCN.
using Nanos = std::int64_t;

/// System change number: nanoseconds since 1970, strictly increasing per tenant, one per transaction, assigned when
/// the transaction is archived. 0 means "none".
using Scn = std::uint64_t;

/// OceanBase's "no limit" for RECOVERY_UNTIL_SCN.
constexpr Scn kScnUnlimited = 4611686018427387903ULL;

/// Where time comes from, so that tests of retention and switching need no sleep. Implementations are thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Nanos now() const = 0;
};

class SystemClock : public Clock {
public:
    Nanos now() const override;
};

/// A clock that stands still until it is told; for tests.
class ManualClock : public Clock {
public:
    explicit ManualClock(Nanos start) : now_(start) {}
    Nanos now() const override { return now_; }
    void advance(Nanos by) { now_ += by; }

private:
    Nanos now_;
};

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kSecond = 1'000'000'000;

/// "2026-11-21 09:30:01.123456" in the daemon's time zone; what TIMESTAMP(6) columns and _DISPLAY columns show.
std::string formatTimestamp(Nanos time);

/// "20261121T093001" in the daemon's time zone, as in the names of stored objects.
std::string formatCompact(Nanos time);

/// Parses "YYYY-MM-DD HH:MM:SS[.ffffff…]" (or with T) in `time_zone`, to the nanosecond. The time zone is a value of
/// MariaDB's variable time_zone ("SYSTEM" is the daemon's) or one of TimeZone. Of an hour that comes twice it is the
/// first. Throws InvalidRequest for anything else, including times that daylight saving leaves out.
Nanos parseTimestamp(const std::string& text, const std::string& time_zone = "SYSTEM");

}  // namespace tidemark
