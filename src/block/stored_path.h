#pragma once

#include <string>

namespace tidemark::block {

/// Throws Corrupt, naming `origin`, unless `path` is relative, not empty, without "." and ".." and NUL, and no longer
/// than the operating system allows. Paths come from a stream or an index, and a restore writes where they say.
void requireInnerPath(const std::string& path, const std::string& origin);

}  // namespace tidemark::block
