#pragma once

#include <filesystem>
#include <string>

#include "base/secret.h"

namespace tidemark {

/// A node's own key. What the daemon has to remember of secrets of others, so that its work goes on after a crash, is
/// wrapped with it: a copy of the catalog alone tells nothing. Thread-safe.
class NodeKey {
public:
    /// Reads the file, or makes it (0600): 32 random bytes. Throws Corrupt, naming it, if it holds anything else.
    explicit NodeKey(std::filesystem::path file);

    /// As hexadecimal digits, another text each time. `purpose`: only who says the same unwraps it.
    std::string wrap(const Secret& secret, std::string_view purpose) const;
    /// Throws Corrupt, naming the file, for what was wrapped with another key, or for another purpose.
    Secret unwrap(std::string_view wrapped, std::string_view purpose) const;

private:
    const std::filesystem::path file_;
    Secret key_;
};

}  // namespace tidemark
