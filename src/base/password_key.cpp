#include "base/password_key.h"

#include "base/hex.h"
#include "base/random.h"

namespace tidemark {

PasswordKey PasswordKey::of(std::string_view password) {
    PasswordKey made{.id = hexOf(randomBytes(kIdBytes)), .salt = randomBytes(kSaltBytes), .cost = {}, .key = {}};
    made.key = passwordKey(password, made.salt, made.cost);
    return made;
}

}  // namespace tidemark
