#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"

namespace tidemark::server {

struct EndStep {
    std::string what;  ///< that ends, for the log: "backups"
    std::function<void()> run;
};

/// Runs the steps side by side, each in a thread of its own, and waits for all of them, but no longer than `limit`: the
/// daemon must end although a destination or a database hangs. False if some are still running; their threads go on
/// and use what they used, so that the process has to end without destroying it.
bool endWithin(const Logger& log, std::vector<EndStep> steps, std::chrono::milliseconds limit);

}  // namespace tidemark::server
