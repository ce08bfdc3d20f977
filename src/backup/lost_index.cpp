#include "backup/lost_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "block/object_format.h"
#include "storage/loss.h"

namespace tidemark::backup {
namespace {

using backup_set::BackupSetDescription;
using backup_set::ChainKeyPtr;
using catalog::FindingKind;

void verify(storage::Storage& storage, const BackupSetDescription& description, const ChainKeyPtr& key) {
    if (description.sealed) return backup_set::verifyObjects(storage, description);
    backup_set::verifyBackupSet(storage, description, key);
}

storage::Key indexKey(const BackupSetDescription& description) {
    return backup_set::blockDirectory(description.id, description.turn) + block::kRangeIndexName;
}

/// nullopt if it is as the set was finished with, as far as that can be seen.
std::optional<catalog::FindingRow> problemOfIndex(storage::Storage& storage, const BackupSetDescription& description,
                                                  const ChainKeyPtr& key) {
    const storage::Key index = indexKey(description);
    const auto finding = [&](FindingKind kind, const std::string& what) {
        return catalog::FindingRow{.kind = kind, .object = storage.url() + "/" + index, .what = what};
    };
    const auto described = std::ranges::find(description.objects, index, &block::StoredObject::key);
    const auto info = storage.stat(index);
    if (!info) return finding(FindingKind::Missing, "it does not exist");
    if (described != description.objects.end() && info->size != described->size) {
        return finding(FindingKind::WrongSize,
                       fmt::format("it has {} bytes instead of {}", info->size, described->size));
    }
    if (description.sealed) return std::nullopt;
    try {
        const auto blocks = backup_set::openBlocks(storage, description, key);
        blocks->index().checkHead();
        blocks->index().eachMap([](const block::FileMap&) {});
    } catch (const Error& error) {
        if (!storage::isLoss(error)) throw;
        return finding(FindingKind::Damaged, error.what());
    }
    return std::nullopt;
}

/// Throws if a restore could not do it either.
void requireRebuilt(storage::Storage& storage, const BackupSetDescription& description, const ChainKeyPtr& key,
                    const std::filesystem::path& scratch, const catalog::FindingRow& lost) {
    try {
        backup_set::rebuildBlocks(storage, description, key, scratch)->checkObjects();
    } catch (const Error& error) {
        if (!storage::isLoss(error)) throw;
        throw Error(error.code(),
                    fmt::format("{}: {}, and it cannot be made again: {}", lost.object, lost.what, error.what()));
    }
}

}  // namespace

std::optional<catalog::FindingRow> findLostIndex(storage::Storage& storage, const BackupSetDescription& description,
                                                 const ChainKeyPtr& key, const std::filesystem::path& scratch) {
    try {
        verify(storage, description, key);
        return std::nullopt;
    } catch (const Error& error) {
        if (!storage::isLoss(error)) throw;
        auto lost = problemOfIndex(storage, description, key);
        if (!lost) throw;
        // Data that is missing is what the set is lost by, and what is to be told.
        BackupSetDescription rest = description;
        std::erase_if(rest.objects, [&](const auto& object) { return object.key == indexKey(description); });
        backup_set::verifyObjects(storage, rest);
        if (!description.sealed) requireRebuilt(storage, description, key, scratch, *lost);
        return lost;
    }
}

}  // namespace tidemark::backup
