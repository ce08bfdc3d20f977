#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/table.h"

namespace tidemark::cli {

static std::size_t terminalColumns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 120;
}

/// What does not fit is left out from the right: a line that wraps could not be taken off the screen again.
std::string ProgressBars::line(const JobProgress& job, const Seen& seen, std::size_t columns) const {
    constexpr std::size_t kWidest = 30;
    constexpr std::size_t kNarrowest = 10;
    const double fraction = job.total > 0 ? std::clamp(job.done / job.total, 0.0, 1.0) : 0;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - seen.since).count();
    const double rate = seconds > 0.5 && job.total > job.done ? std::max(0.0, job.done - seen.first_done) / seconds : 0;
    std::string text = fmt::format(" {:3.0f}%  {} of {}", std::floor(fraction * 100), humanBytes(job.done),
                                   job.total > 0 ? humanBytes(job.total) : "?");
    if (rate > 0) text += fmt::format("  {}/s", humanBytes(rate));
    if (job.left > 0) text += "  left " + humanDuration(job.left);
    text += "  " + job.phase;
    const std::size_t taken = width(job.label) + text.size() + 4;  // a blank, two brackets, the last column
    const std::size_t cells = std::clamp(columns > taken ? columns - taken : 0, kNarrowest, kWidest);
    const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(cells));
    std::string whole =
        fmt::format("{} [{}{}]{}", job.label, std::string(filled, '#'), std::string(cells - filled, '.'), text);
    while (width(whole) >= columns)
        whole.pop_back();
    return whole;
}

void ProgressBars::draw(const std::vector<JobProgress>& jobs) {
    clear();
    std::size_t widest = 0;
    for (const JobProgress& job : jobs)
        widest = std::max(widest, width(job.label));
    for (JobProgress job : jobs) {
        job.label.append(widest - width(job.label), ' ');
        const auto [entry, is_new] = seen_.try_emplace(job.id);
        Seen& seen = entry->second;
        if (is_new) {
            seen.since = std::chrono::steady_clock::now();
            seen.first_done = job.done;
        }
        const int tenth = job.total > 0 ? static_cast<int>(10 * job.done / job.total) : 0;
        if (terminal_ || seen.last_phase != job.phase || tenth != seen.last_tenth) {
            std::puts(line(job, seen, terminal_ ? terminalColumns() : 1000).c_str());
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
