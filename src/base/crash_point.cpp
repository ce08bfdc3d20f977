#include "base/crash_point.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include "base/error.h"

namespace tidemark {
namespace {

std::atomic<int> visits_left{1};

/// 0 if it is no number from 1 on.
int visitsOf(std::string_view text) {
    int visits = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), visits);
    return problem == std::errc() && rest == text.data() + text.size() && visits > 0 ? visits : 0;
}

}  // namespace

void armCrashPoint(const std::string& text) {
    if (text.empty()) return;
    const auto colon = text.find(':');
    const auto* point = std::find(std::begin(kCrashPoints), std::end(kCrashPoints), text.substr(0, colon));
    const int visits = colon == std::string::npos ? 1 : visitsOf(std::string_view(text).substr(colon + 1));
    if (point == std::end(kCrashPoints) || visits == 0) {
        throw Error(ErrorCode::InvalidRequest, "there is no crash point '" + text + "'",
                    fmt::format("a name, or name:nth; the names are {}", fmt::join(kCrashPoints, ", ")));
    }
    visits_left = visits;
    detail::armed_crash_point = static_cast<int>(point - std::begin(kCrashPoints));
}

void detail::reachCrashPoint() {
    if (visits_left.fetch_sub(1) != 1) return;
    // No log, no flush: a signal that nobody can catch, as a power failure would not wait either.
    ::kill(::getpid(), SIGKILL);
    for (;;)
        ::pause();
}

}  // namespace tidemark
