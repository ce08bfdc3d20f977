#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark {

/// Memory from the system and not from the heap, which would keep it: what is given back is gone from the process,
/// whatever lies behind it. It begins at a page. `what` names its use in the error: "getting memory for a connection".
std::uint8_t* mapPages(std::size_t size, const char* what);
void unmapPages(std::uint8_t* memory, std::size_t size);

}  // namespace tidemark
