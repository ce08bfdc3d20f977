#include "backup_set/key_fields.h"

#include <stdexcept>

#include "base/hex.h"

namespace tidemark::backup_set {

Bytes bytesFrom(const nlohmann::json& content, const char* name, std::size_t size) {
    const auto bytes = bytesOfHex(storage::takeField<std::string>(content, name));
    if (!bytes || bytes->size() != size) throw std::range_error(std::string(name) + " has another size");
    return *bytes;
}

std::string idFrom(const nlohmann::json& content, const char* name) {
    return hexOf(bytesFrom(content, name, PasswordKey::kIdBytes));
}

ScryptCost costFrom(const nlohmann::json& content) {
    return {.n = storage::takeField<std::uint64_t>(content, "n"),
            .r = storage::takeField<std::uint32_t>(content, "r"),
            .p = storage::takeField<std::uint32_t>(content, "p")};
}

}  // namespace tidemark::backup_set
