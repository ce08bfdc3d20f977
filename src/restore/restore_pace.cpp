#include "restore/restore_pace.h"

#include <algorithm>

namespace tidemark::restore {

ExpectedPace expectedPace(const std::vector<catalog::RestorePace>& paces) {
    using Seconds = std::chrono::duration<double>;
    if (paces.empty()) return {};
    double files = 0;
    double log = 0;
    Seconds file_time{};
    Seconds log_time{};
    std::vector<double> rests;
    for (const catalog::RestorePace& pace : paces) {
        files += static_cast<double>(pace.file_bytes);
        log += static_cast<double>(pace.log_bytes);
        file_time += pace.file_time;
        log_time += pace.log_time;
        rests.push_back(Seconds(pace.rest_time).count());
    }
    const auto middle = rests.begin() + static_cast<std::ptrdiff_t>(rests.size() / 2);
    std::nth_element(rests.begin(), middle, rests.end());
    ExpectedPace expected{.rest = *middle};
    if (files > 0 && file_time.count() > 0) expected.files = files / file_time.count();
    if (log > 0 && log_time.count() > 0) expected.log = log / log_time.count();
    return expected;
}

}  // namespace tidemark::restore
