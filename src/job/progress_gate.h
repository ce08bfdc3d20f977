#pragma once

#include <atomic>

#include "base/clock.h"

namespace tidemark::job {

/// Bounds how often progress is written to the catalog: due() is true at most once per interval, and at the first call.
/// What must be seen (a change of status) is written without asking. Thread-safe.
class ProgressGate {
public:
    explicit ProgressGate(const Clock& clock, Nanos interval = kSecond / 2) : clock_(clock), interval_(interval) {}

    bool due() {
        const Nanos now = clock_.now();
        Nanos next = next_.load();
        return now >= next && next_.compare_exchange_strong(next, now + interval_);
    }

private:
    const Clock& clock_;
    const Nanos interval_;
    std::atomic<Nanos> next_{0};
};

}  // namespace tidemark::job
