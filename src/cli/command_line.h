#pragma once

namespace tidemark::cli {

/// The whole `tidemark` program; returns its exit code.
int runCommandLine(int argc, const char* const* argv);

}  // namespace tidemark::cli
