#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/file.h"

namespace tidemark {

/// The files that a program may reach. The kernel (Landlock) enforces it from the program's start on, also for its
/// children, whatever privileges it has or gains inside. Files that are open already stay usable.
struct FileAccess {
    std::vector<std::filesystem::path> readable;  ///< trees to read and execute; missing ones are left out
    std::vector<std::filesystem::path> writable;  ///< trees (or files) to do anything in
};

/// What startDetached() and Child put on the new process; nullopt if this kernel cannot do it (Linux before 5.19, or
/// built without Landlock).
std::optional<Fd> makeSandbox(const FileAccess& access);

/// Whether makeSandbox() works here.
bool sandboxAvailable();

/// Confines the calling process for ever. Safe between fork and exec. False, with errno, if the kernel refuses.
bool enterSandbox(int sandbox);

}  // namespace tidemark
