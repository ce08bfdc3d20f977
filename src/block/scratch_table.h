#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "block/scratch.h"

namespace tidemark::block {

/// Records by row and number, in a scratch file. Any of them may come first; kTogether of a row lie together, and take
/// room once one of them was written. What was never written is zeros. Thread-safe, for threads that look at different
/// records.
template <typename Record, std::size_t kTogether>
class ScratchTable {
public:
    explicit ScratchTable(const std::filesystem::path& directory) : records_(directory) {}

    void write(std::uint32_t row, std::uint32_t first, std::span<const Record> records) {
        each(first, records, [&](std::uint32_t group, std::size_t within, std::span<const Record> part) {
            records_.write(make(row, group) + within, part);
        });
    }
    void read(std::uint32_t row, std::uint32_t first, std::span<Record> into) const {
        each(first, into, [&](std::uint32_t group, std::size_t within, std::span<Record> part) {
            if (const auto at = find(row, group)) {
                records_.read(*at + within, part);
            } else {
                std::fill(part.begin(), part.end(), Record{});
            }
        });
    }
    /// Beyond the last record of a row that was written; a multiple of kTogether.
    std::uint32_t end(std::uint32_t row) const {
        const MutexLock lock(mutex_);
        return row < rows_.size() ? static_cast<std::uint32_t>(rows_[row].size() * kTogether) : 0;
    }
    std::uint32_t rows() const {
        const MutexLock lock(mutex_);
        return static_cast<std::uint32_t>(rows_.size());
    }

private:
    template <typename Element, typename Visit>
    static void each(std::uint32_t first, std::span<Element> records, Visit visit) {
        while (!records.empty()) {
            const std::size_t within = first % kTogether;
            const std::size_t count = std::min(records.size(), kTogether - within);
            visit(static_cast<std::uint32_t>(first / kTogether), within, records.first(count));
            first += static_cast<std::uint32_t>(count);
            records = records.subspan(count);
        }
    }

    std::optional<std::uint64_t> find(std::uint32_t row, std::uint32_t group) const {
        const MutexLock lock(mutex_);
        if (row >= rows_.size() || group >= rows_[row].size() || rows_[row][group] == 0) return std::nullopt;
        return std::uint64_t{rows_[row][group]} * kTogether;
    }

    std::uint64_t make(std::uint32_t row, std::uint32_t group) {
        const MutexLock lock(mutex_);
        if (row >= rows_.size()) rows_.resize(row + std::size_t{1});
        auto& groups = rows_[row];
        if (group >= groups.size()) groups.resize(group + std::size_t{1});
        if (groups[group] == 0) groups[group] = ++last_;
        return std::uint64_t{groups[group]} * kTogether;
    }

    ScratchArray<Record> records_;
    mutable Mutex mutex_;
    std::vector<std::vector<std::uint32_t>> rows_ GUARDED_BY(mutex_);  ///< where groups lie; 0: nowhere
    std::uint32_t last_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::block
