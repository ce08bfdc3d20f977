#pragma once

#include <cstdint>
#include <filesystem>

namespace tidemark {

/// Bytes that this process could take without anybody having to give up more than clean page cache: what the kernel
/// calls MemAvailable, or what the limits of its control groups (version 1 or 2) leave, whichever is least. 0 if it
/// cannot be known. The directories are for tests.
std::uint64_t availableMemory(const std::filesystem::path& proc = "/proc",
                              const std::filesystem::path& groups = "/sys/fs/cgroup");

}  // namespace tidemark
