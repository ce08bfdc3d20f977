#include "block/stored_path.h"

#include <climits>

#include "base/error.h"

namespace tidemark::block {
namespace {

bool innerSegment(std::string_view segment) {
    return !segment.empty() && segment != "." && segment != ".." && segment.size() <= NAME_MAX;
}

bool inner(std::string_view path) {
    if (path.size() >= PATH_MAX || path.find('\0') != std::string_view::npos) return false;
    for (;;) {
        const auto slash = path.find('/');
        if (!innerSegment(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace

void requireInnerPath(const std::string& path, const std::string& origin) {
    if (inner(path)) return;
    throw Error(ErrorCode::Corrupt, origin + " names a file that cannot be in a data directory: '" + path + "'");
}

}  // namespace tidemark::block
