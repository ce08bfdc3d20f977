#pragma once

#include <string>
#include <string_view>

#include "base/crypto.h"

namespace tidemark {

/// What a password has become: a key that wraps others, and what has to be known beside the password to make it again.
/// Id and salt are random, so that neither tells anything about the password, nor whether two are the same.
struct PasswordKey {
    static constexpr std::size_t kIdBytes = 8;
    static constexpr std::size_t kSaltBytes = 16;

    std::string id;  ///< hexadecimal digits; names the key
    Bytes salt;
    ScryptCost cost;
    Secret key;

    /// Takes half a second.
    static PasswordKey of(std::string_view password);
};

}  // namespace tidemark
