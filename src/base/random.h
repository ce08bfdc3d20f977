#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace tidemark {

/// Bytes from the operating system's generator, fit for secrets.
Bytes randomBytes(std::size_t size);
void randomBytes(std::span<std::uint8_t> into);
std::uint32_t randomU32();
/// Below 2^63, so that a signed column holds it too.
std::uint64_t randomU63();

/// A password of 32 letters and digits (190 bits), safe inside SQL quotes and option files.
std::string randomPassword();

}  // namespace tidemark
