#pragma once

#include <string_view>

namespace tidemark::restore {

/// Whether a program's or a server's words say that this machine did not give it what it needs (memory, files, room on
/// its disk), whatever it worked on.
bool lacksResources(std::string_view words);

}  // namespace tidemark::restore
