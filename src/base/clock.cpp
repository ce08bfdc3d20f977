#include "base/clock.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <ctime>

#include "base/error.h"

namespace tidemark {

Nanos SystemClock::now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

static std::tm localTime(Nanos time) {
    const std::time_t seconds = time / kSecond;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return parts;
}

std::string formatTimestamp(Nanos time) {
    const std::tm t = localTime(time);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour, t.tm_min, t.tm_sec, time % kSecond / 1000);
}

std::string formatCompact(Nanos time) {
    const std::tm t = localTime(time);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                       t.tm_min, t.tm_sec);
}

Nanos parseTimestamp(const std::string& text) {
    const auto invalid = [&] {
        return Error(ErrorCode::InvalidRequest, SqlCode{1292, "22007"}, "Incorrect datetime value: '" + text + "'",
                     "write it as YYYY-MM-DD HH:MM:SS[.ffffff]");
    };
    std::string plain = text;
    if (plain.size() > 10 && plain[10] == 'T') plain[10] = ' ';
    std::tm given{};
    const char* rest = strptime(plain.c_str(), "%Y-%m-%d %H:%M:%S", &given);
    if (rest == nullptr) throw invalid();
    Nanos fraction = 0;
    if (*rest == '.') {
        const std::size_t digits = std::strspn(++rest, "0123456789");
        if (digits == 0 || digits > 9) throw invalid();
        for (std::size_t i = 0; i < 9; ++i)
            fraction = fraction * 10 + (i < digits ? rest[i] - '0' : 0);
        rest += digits;
    }
    if (*rest != '\0') throw invalid();
    std::tm normalised = given;
    normalised.tm_isdst = -1;
    const std::time_t seconds = std::mktime(&normalised);
    // mktime silently moves 31 February, or an hour skipped by daylight saving, to another time: refuse instead.
    if (seconds < 0 || normalised.tm_mday != given.tm_mday || normalised.tm_hour != given.tm_hour) throw invalid();
    return static_cast<Nanos>(seconds) * kSecond + fraction;
}

}  // namespace tidemark
