#include "restore/set_log.h"

#include "backup_set/sealed_storage.h"
#include "storage/subtree_storage.h"

namespace tidemark::restore {
namespace {

/// A reader with what it reads from.
struct SetLog {
    std::shared_ptr<storage::Storage> destination;
    storage::SubtreeStorage storage;
    backup_set::SealedStorage sealed;
    archive::ArchiveReader reader;

    SetLog(std::shared_ptr<storage::Storage> whole, const storage::Key& directory, const backup_set::ChainKeyPtr& key)
        : destination(std::move(whole)),
          storage(*destination, directory),
          sealed(storage, key),
          reader(key ? static_cast<storage::Storage&>(sealed) : storage) {}
};

}  // namespace

std::shared_ptr<archive::ArchiveReader> openSetLog(std::shared_ptr<storage::Storage> destination,
                                                   const backup_set::BackupSetDescription& set,
                                                   const backup_set::ChainKeyPtr& key) {
    const auto log = std::make_shared<SetLog>(std::move(destination), backup_set::logDirectory(set.id), key);
    return {log, &log->reader};
}

std::string setLogUri(const std::string& destination_uri, const backup_set::BackupSetDescription& set) {
    std::string uri = destination_uri + "/" + backup_set::logDirectory(set.id);
    uri.pop_back();
    return uri;
}

}  // namespace tidemark::restore
