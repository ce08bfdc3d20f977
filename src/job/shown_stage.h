#pragma once

#include <chrono>
#include <thread>

namespace tidemark::job {

/// A stage of a job that is shown in the views from now on. It stays for at least kShown, however quickly its work
/// is done, so that who looks every 20 ms sees it. Backup and restore show theirs equally long.
class ShownStage {
public:
    static constexpr std::chrono::milliseconds kShown{60};

    void awaitShown() const { std::this_thread::sleep_until(since_ + kShown); }

private:
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace tidemark::job
