#pragma once

#include <string>

namespace tidemark {

/// What a user wrote, as it may be shown and recorded: a URI in it may hold secrets. Its access_id, access_key,
/// encrypt_key and extension become xxx, as OceanBase shows them.
std::string withoutSecrets(const std::string& text);

}  // namespace tidemark
