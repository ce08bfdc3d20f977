#pragma once

#include <filesystem>
#include <string>

namespace tidemark::source {

/// What a program's environment is to have so that it is started with this library of ours.
std::string preloading(const std::filesystem::path& library);

}  // namespace tidemark::source
