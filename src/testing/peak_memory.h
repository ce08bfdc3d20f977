#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace tidemark::testing {

/// How much more memory the process has had at any moment since construction than it had then.
class PeakMemory {
public:
    PeakMemory() {
        std::ofstream("/proc/self/clear_refs") << "5";  // the peak is what there is now
        before_ = status("VmRSS:");
    }
    std::uint64_t bytes() const {
        const std::uint64_t peak = status("VmHWM:");
        return peak > before_ ? peak - before_ : 0;
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

}  // namespace tidemark::testing
