#include "block/macro_block.h"

namespace tidemark::block {

std::string dataFileName(std::uint32_t number) {
    return "macro_block_data." + std::to_string(number) + ".obbak";
}

}  // namespace tidemark::block
