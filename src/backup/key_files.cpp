#include "backup/key_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "oceanbase/ob_error.h"
#include "storage/destination.h"
#include "storage/open_storage.h"

namespace tidemark::backup {
namespace {

/// All links followed; of files that need not be there.
bool isSameFile(const std::filesystem::path& one, const std::filesystem::path& other) {
    const auto place = [](const std::filesystem::path& file) {
        std::error_code unknown;
        const auto found = std::filesystem::weakly_canonical(file, unknown);
        return unknown ? file.lexically_normal() : found;
    };
    return place(one) == place(other);
}

Error othersKey(const std::string& file, const catalog::Tenant& other) {
    return obError(Ob::OpNotAllow, fmt::format("{}, the key of tenant {}, for another tenant is", file, other.name),
                   "name another file: each tenant has a key of its own, else who opens the backups of one opens those "
                   "of both");
}

}  // namespace

KeyFiles::KeyFiles(const BackupJobParts& parts) : parts_(parts), log_(makeLogger("backup")) {}

/// What encrypts the backups of a tenant for which nobody gives a password.
std::optional<PasswordKey> KeyFiles::wrappingOf(const catalog::Tenant& tenant) {
    const std::string file = parts_.stores.parameters.value(tenant.id, kKeyFileParameter);
    if (file.empty()) return std::nullopt;
    return keyIn(file).wrapping();
}

/// A file that is not there is not made again: what it had may be nowhere else.
backup_set::TenantKey KeyFiles::keyIn(const std::string& file) const {
    try {
        return backup_set::readKeyFile(file, parts_.node_key);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::NotFound) throw;
        throw obError(Ob::BackupFileNotExist, file + " is not there",
                      fmt::format("put its copy back; or, for a new key, SET {} again", kKeyFileParameter));
    }
}

void KeyFiles::set(const catalog::Tenant& tenant, const std::string& file) {
    catalog::checkedValue(*catalog::findParameter(kKeyFileParameter), file);
    if (!file.empty()) {
        storage::requireOutside("file://" + file, parts_.own_directory);
        auto others = files();
        std::erase_if(others, [&](const auto& one) { return one.first.id == tenant.id; });
        // First by name, since one that another tenant has lost would be made here; then by content: it may be a copy.
        for (const auto& [other, others_file] : others) {
            if (isSameFile(file, others_file)) throw othersKey(file, other);
        }
        const std::string id = backup_set::openKeyFile(file, parts_.node_key).id;
        for (const auto& [other, others_file] : others) {
            const auto key = keyIfReadable(other, others_file);
            if (key && key->id == id) throw othersKey(file, other);
        }
    }
    parts_.stores.parameters.set(tenant.id, kKeyFileParameter, file);
}

void KeyFiles::save(const catalog::Tenant& tenant, const std::string& uri, std::string_view password) {
    const std::string file = parts_.stores.parameters.value(tenant.id, kKeyFileParameter);
    if (file.empty()) {
        throw obError(Ob::EntryNotExist, {},
                      fmt::format("tenant {} has no key: ALTER SYSTEM SET {} = '/path' TENANT = {}", tenant.name,
                                  kKeyFileParameter, tenant.name));
    }
    const std::string plain = storage::plainUri(uri);
    storage::requireOutside(plain, parts_.own_directory);
    const auto place = storage::openStorage(uri);
    if (place->stat(storage::kMarkerKey))
        throw obError(Ob::OpNotAllow, "a key beside the backups that it opens, at " + plain + ", is",
                      "name another directory");
    backup_set::saveTenantKey(*place, static_cast<std::uint64_t>(tenant.id), keyIn(file), password);
    log_->info("tenant {}: its key was saved at {}", tenant.name, plain);
}

std::vector<backup_set::TenantKey> KeyFiles::all() {
    std::vector<backup_set::TenantKey> keys;
    for (const auto& [tenant, file] : files()) {
        if (auto key = keyIfReadable(tenant, file)) keys.push_back(std::move(*key));
    }
    return keys;
}

std::vector<std::pair<catalog::Tenant, std::string>> KeyFiles::files() {
    std::vector<std::pair<catalog::Tenant, std::string>> found;
    for (const catalog::Tenant& tenant : parts_.stores.tenants.all()) {
        const std::string file = parts_.stores.parameters.value(tenant.id, kKeyFileParameter);
        if (!file.empty()) found.emplace_back(tenant, file);
    }
    return found;
}

std::optional<backup_set::TenantKey> KeyFiles::keyIfReadable(const catalog::Tenant& tenant,
                                                             const std::string& file) const {
    try {
        return backup_set::readKeyFile(file, parts_.node_key);
    } catch (const Error& error) {
        log_->warn("tenant {}: its key is not to be had: {}", tenant.name, error.what());
        return std::nullopt;
    }
}

}  // namespace tidemark::backup
