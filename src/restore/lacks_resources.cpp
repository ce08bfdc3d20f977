#include "restore/lacks_resources.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/letters.h"

namespace tidemark::restore {
namespace {

/// Of strerror(), and what mariadbd (sql/share/errmsg-utf8.txt: 1021, 1037, 1038, 1041, 1135) and InnoDB say in lower
/// case.
constexpr auto kWords = std::to_array<std::string_view>({
    "cannot allocate memory",
    "can't allocate memory",
    "out of memory",
    "out of sort memory",
    "no space left on device",
    "disk is full",
    "disk full",
    "disk quota exceeded",
    "too many open files",
    "resource temporarily unavailable",
    "can't create a new thread",
});

}  // namespace

bool lacksResources(std::string_view words) {
    const std::string text = lowerCase(std::string(words));
    return std::ranges::any_of(kWords, [&](std::string_view one) { return text.find(one) != std::string::npos; });
}

}  // namespace tidemark::restore
