#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace tidemark::testing {

/// How much the process has of each byte that the program has. ThreadSanitizer keeps at least four bytes of what was
/// done with each, AddressSanitizer an eighth, and for a while what has been freed. Bounds are those of the program
/// alone.
#if defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kMemoryOfAByte = 6;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr std::uint64_t kMemoryOfAByte = 2;
#else
inline constexpr std::uint64_t kMemoryOfAByte = 1;
#endif

/// How much more memory the program has had at any moment since construction than it had then.
class PeakMemory {
public:
    PeakMemory() {
        std::ofstream("/proc/self/clear_refs") << "5";  // the peak is what there is now
        before_ = status("VmRSS:");
    }
    std::uint64_t bytes() const {
        const std::uint64_t peak = status("VmHWM:");
        return peak > before_ ? (peak - before_) / kMemoryOfAByte : 0;
    }

private:
    static std::uint64_t status(const std::string& name) {
        std::ifstream lines("/proc/self/status");
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name)) return std::stoull(line.substr(name.size())) << 10;
        }
        return 0;
    }

    std::uint64_t before_ = 0;
};

/// The most that the program of a process has had, by what the system says of it.
inline std::uint64_t peakOf(const rusage& usage) {
    return (static_cast<std::uint64_t>(usage.ru_maxrss) << 10) / kMemoryOfAByte;
}

}  // namespace tidemark::testing
