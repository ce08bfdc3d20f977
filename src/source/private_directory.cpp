#include "source/private_directory.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/error.h"

namespace tidemark::source {

namespace fs = std::filesystem;

PrivateDirectory::PrivateDirectory(const fs::path& parent) {
    std::string pattern = ((parent.empty() ? fs::temp_directory_path() : parent) / "tidemark-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throwErrno(errno, "making a directory " + pattern);
    path_ = pattern;
}

PrivateDirectory::~PrivateDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

}  // namespace tidemark::source
