#include "backup_set/kept_key.h"

namespace tidemark::backup_set {
namespace {

constexpr std::string_view kPurpose = "key of a backup set";

}  // namespace

std::string wrappedKey(const ChainKeyPtr& key, const NodeKey& node) {
    return key ? node.wrap(key->secret(), kPurpose) : std::string();
}

ChainKeyPtr keptKey(const std::string& wrapped, const NodeKey& node) {
    return wrapped.empty() ? nullptr : std::make_shared<const block::ChainKey>(node.unwrap(wrapped, kPurpose));
}

}  // namespace tidemark::backup_set
