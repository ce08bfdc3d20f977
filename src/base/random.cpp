#include "base/random.h"

#include <openssl/rand.h>

#include "base/error.h"

namespace tidemark {

Bytes randomBytes(std::size_t size) {
    Bytes bytes(size);
    randomBytes(bytes);
    return bytes;
}

void randomBytes(std::span<std::uint8_t> into) {
    if (RAND_bytes(into.data(), static_cast<int>(into.size())) != 1) {
        throw Error(ErrorCode::Internal, "the system's random generator gave no bytes");
    }
}

std::uint32_t randomU32() {
    const Bytes raw = randomBytes(4);
    return ByteReader(raw, "random number").u32();
}

std::uint64_t randomU63() {
    return (std::uint64_t{randomU32()} << 31) ^ randomU32();
}

std::string randomPassword() {
    static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string password;
    while (password.size() < 32) {
        for (const std::uint8_t byte : randomBytes(32)) {
            // 248 = 4 * 62: higher values would favour the first letters.
            if (byte < 248 && password.size() < 32) password += kAlphabet[byte % kAlphabet.size()];
        }
    }
    return password;
}

}  // namespace tidemark
