#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/table.h"

namespace tidemark::cli {

std::string ProgressBars::line(const JobProgress& job, const Seen& seen) const {
    constexpr int kWidth = 30;
    const double fraction = job.total > 0 ? std::clamp(job.done / job.total, 0.0, 1.0) : 0;
    const int filled = static_cast<int>(fraction * kWidth);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - seen.since).count();
    const double rate = seconds > 0.5 ? (job.done - seen.first_done) / seconds : 0;
    std::string text = fmt::format("{:<24} [{}{}] {:5.1f}%  {:>9} of {:<9}", job.label, std::string(filled, '#'),
                                   std::string(kWidth - filled, '.'), fraction * 100, humanBytes(job.done),
                                   job.total > 0 ? humanBytes(job.total) : "?");
    if (rate > 0) text += fmt::format("  {:>9}/s", humanBytes(rate));
    if (rate > 0 && job.total > job.done) text += "  left " + humanDuration((job.total - job.done) / rate);
    return text + "  " + job.phase;
}

void ProgressBars::draw(const std::vector<JobProgress>& jobs) {
    clear();
    for (const JobProgress& job : jobs) {
        const auto [entry, is_new] = seen_.try_emplace(job.id);
        Seen& seen = entry->second;
        if (is_new) {
            seen.since = std::chrono::steady_clock::now();
            seen.first_done = job.done;
        }
        const int tenth = job.total > 0 ? static_cast<int>(10 * job.done / job.total) : 0;
        if (terminal_ || seen.last_phase != job.phase || tenth != seen.last_tenth) {
            std::puts(line(job, seen).c_str());
            drawn_ += terminal_ ? 1 : 0;
        }
        seen.last_phase = job.phase;
        seen.last_tenth = tenth;
    }
    std::fflush(stdout);
}

void ProgressBars::clear() {
    // Up one line and erase it, once per bar.
    for (; drawn_ > 0; --drawn_)
        std::fputs("\033[1A\033[2K", stdout);
}

}  // namespace tidemark::cli
