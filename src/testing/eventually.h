#pragma once

#include <chrono>
#include <thread>

namespace tidemark::testing {

/// Waits for a state that nothing tells of, up to a limit that only a defect reaches; whether it came.
template <typename Condition>
bool eventually(Condition reached, std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!reached()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

}  // namespace tidemark::testing
