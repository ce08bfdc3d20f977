#pragma once

#include <chrono>
#include <thread>

namespace tidemark::restore {

/// A stage of a restore that is shown in the views from now on. It stays for at least kShown, however quickly its work
/// is done, so that who looks every 20 ms sees it.
class ShownStage {
public:
    static constexpr std::chrono::milliseconds kShown{60};

    void awaitShown() const { std::this_thread::sleep_until(since_ + kShown); }

private:
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace tidemark::restore
