#include "testing/source_directory.h"

namespace tidemark::testing {

std::filesystem::path sourceDirectory() {
    return TIDEMARK_SOURCE_DIR;
}

}  // namespace tidemark::testing
