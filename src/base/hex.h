#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tidemark {

/// Two lower-case digits a byte.
std::string hexOf(ByteView bytes);
/// nullopt for what is not written so.
std::optional<Bytes> bytesOfHex(std::string_view hex);

}  // namespace tidemark
