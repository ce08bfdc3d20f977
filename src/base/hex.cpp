#include "base/hex.h"

namespace tidemark {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string hexOf(ByteView bytes) {
    std::string hex;
    hex.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

std::optional<Bytes> bytesOfHex(std::string_view hex) {
    if (hex.size() % 2 != 0 || hex.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
    Bytes bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(kDigits.find(hex[i]) << 4 | kDigits.find(hex[i + 1])));
    return bytes;
}

}  // namespace tidemark
