#include "backup/set_encryption.h"

#include "backup_set/kept_key.h"
#include "base/error.h"
#include "base/hex.h"

namespace tidemark::backup {
namespace {

constexpr std::string_view kPasswordPurpose = "password of a backup";

}  // namespace

SetEncryption::SetEncryption(const PasswordKey& password, const NodeKey& node, backup_set::KeyMethod method)
    : method_(method),
      id_(password.id),
      salt_(password.salt),
      cost_(password.cost),
      password_(node.wrap(password.key, kPasswordPurpose)) {}

void SetEncryption::begin(backup_set::ChainKeyPtr key, const NodeKey& node) {
    const PasswordKey password{id_, salt_, cost_, node.unwrap(password_, kPasswordPurpose)};
    bag_ = backup_set::wrapKey(*key, password, method_);
    chain_ = backup_set::wrappedKey(key, node);
    password_.clear();
}

backup_set::ChainKeyPtr SetEncryption::key(const NodeKey& node) const {
    return backup_set::keptKey(chain_, node);
}

nlohmann::json SetEncryption::json() const {
    if (!chain_.empty()) return {{"chain", chain_}, {"bag", backup_set::contentOf(bag_)}};
    return {{"id", id_},    {"salt", hexOf(salt_)},  {"n", cost_.n},
            {"r", cost_.r}, {"p", cost_.p},          {"password", password_},
            {"tenant_key", method_ == backup_set::KeyMethod::TenantKey}};
}

SetEncryption SetEncryption::from(const nlohmann::json& json) {
    SetEncryption encryption;
    if (json.contains("chain")) {
        encryption.chain_ = json.at("chain").get<std::string>();
        encryption.bag_ = backup_set::keyBagFrom(json.at("bag"));
        return encryption;
    }
    if (json.value("tenant_key", false)) encryption.method_ = backup_set::KeyMethod::TenantKey;
    encryption.id_ = json.at("id").get<std::string>();
    encryption.salt_ = bytesOfHex(json.at("salt").get<std::string>()).value_or(Bytes());
    encryption.cost_ = {json.at("n").get<std::uint64_t>(), json.at("r").get<std::uint32_t>(),
                        json.at("p").get<std::uint32_t>()};
    encryption.password_ = json.at("password").get<std::string>();
    return encryption;
}

}  // namespace tidemark::backup
