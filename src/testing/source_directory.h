#pragma once

#include <filesystem>

namespace tidemark::testing {

/// The top of the checkout that the test was built from, where its data files are.
std::filesystem::path sourceDirectory();

}  // namespace tidemark::testing
