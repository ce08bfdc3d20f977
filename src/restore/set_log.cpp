#include "restore/set_log.h"

#include "storage/subtree_storage.h"

namespace tidemark::restore {
namespace {

/// A reader with what it reads from.
struct SetLog {
    std::shared_ptr<storage::Storage> destination;
    storage::SubtreeStorage storage;
    archive::ArchiveReader reader;

    SetLog(std::shared_ptr<storage::Storage> whole, const storage::Key& directory)
        : destination(std::move(whole)), storage(*destination, directory), reader(storage) {}
};

}  // namespace

std::shared_ptr<archive::ArchiveReader> openSetLog(std::shared_ptr<storage::Storage> destination,
                                                   const backup_set::BackupSetDescription& set) {
    const auto log = std::make_shared<SetLog>(std::move(destination), backup_set::logDirectory(set.id));
    return {log, &log->reader};
}

std::string setLogUri(const std::string& destination_uri, const backup_set::BackupSetDescription& set) {
    std::string uri = destination_uri + "/" + backup_set::logDirectory(set.id);
    uri.pop_back();
    return uri;
}

}  // namespace tidemark::restore
