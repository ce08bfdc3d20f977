#include "source/table_definition.h"

namespace tidemark::source {

std::vector<std::string_view> tableFiles(ByteView definition_head) {
    // A view is text; the definition of a table begins with these two bytes and has its engine in the fourth.
    if (definition_head.size() < kDefinitionHead || definition_head[0] != 0xfe || definition_head[1] != 0x01) return {};
    switch (definition_head[3]) {
        case 9:
            return {".MYI", ".MYD"};  // MyISAM
        case 42:
            return {".MAI", ".MAD"};  // Aria
        case 16:
            return {".ARZ"};  // ARCHIVE
        case 17:
            return {".CSM", ".CSV"};  // CSV
        default:
            return {};
    }
}

}  // namespace tidemark::source
