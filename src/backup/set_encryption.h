#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "backup_set/key_bag.h"
#include "base/node_key.h"

namespace tidemark::backup {

/// What a backup that is encrypted has to remember, for its attempts: everything in it is wrapped, by the node's key or
/// by the password. First the key that the password has become, which wraps the set's; from the moment when the set has
/// begun, that one.
class SetEncryption {
public:
    /// Nothing is encrypted.
    SetEncryption() = default;
    SetEncryption(const PasswordKey& password, const NodeKey& node,
                  backup_set::KeyMethod method = backup_set::KeyMethod::Password);

    bool on() const { return !password_.empty() || !chain_.empty(); }

    /// The set begins, with a key of its own, or that of the full set that it leans on.
    void begin(backup_set::ChainKeyPtr key, const NodeKey& node);
    /// The set's key; null if it is not encrypted. After begin().
    backup_set::ChainKeyPtr key(const NodeKey& node) const;
    /// The same as the catalog keeps it beside the set; see backup_set/kept_key.h.
    const std::string& wrappedKey() const { return chain_; }
    /// For the destination.
    const backup_set::KeyBag& bag() const { return bag_; }

    nlohmann::json json() const;
    static SetEncryption from(const nlohmann::json& json);

private:
    backup_set::KeyMethod method_ = backup_set::KeyMethod::Password;
    std::string id_;
    Bytes salt_;
    ScryptCost cost_;
    std::string password_;
    std::string chain_;
    backup_set::KeyBag bag_;
};

}  // namespace tidemark::backup
