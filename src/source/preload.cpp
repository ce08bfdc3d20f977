#include "source/preload.h"

#include <cstdlib>

namespace tidemark::source {

std::string preloading(const std::filesystem::path& library) {
    const char* others = getenv("LD_PRELOAD");  // the host may preload a library of its own, such as an allocator
    return "LD_PRELOAD=" + library.string() + (others != nullptr ? std::string(":") + others : "");
}

}  // namespace tidemark::source
