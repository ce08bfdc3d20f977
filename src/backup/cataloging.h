#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backup/backup_job.h"
#include "storage/destination.h"

namespace tidemark::backup {

/// What became of something that lies at a destination.
struct CatalogRow {
    std::string object;   ///< BACKUP SET, ROUND, BACKUP PIECE; OBJECT for what is none of these
    std::int64_t id = 0;  ///< 0 for an OBJECT
    std::string result;   ///< CATALOGED, KNOWN: it was there, and is what it was; SKIPPED
    std::string path;     ///< of the destination
    std::string comment;  ///< why it was skipped, or what is not known of it
};

/// CATALOG BACKUP: enters in the catalog what lies at a tenant's destinations and is not there, so that the views of
/// sets, rounds and pieces show it as they did. Writes nothing to a destination, and changes nothing that the catalog
/// has. Not thread-safe; one per statement.
class Cataloging {
public:
    /// The key of an encrypted set; null if it is not to be had: then it is entered without what its description hides.
    using KeyOf = std::function<backup_set::ChainKeyPtr(storage::Storage&, const backup_set::SetId&)>;

    Cataloging(const BackupJobParts& parts, const catalog::Tenant& tenant, KeyOf key_of);

    /// One destination of either kind. Throws 9081 if it is not this tenant's of this cluster, and what
    /// storage::readDestination() throws; Unavailable if it goes meanwhile, or its log contradicts itself so that
    /// nothing of it can be read.
    std::vector<CatalogRow> run(const std::string& uri);

private:
    void enterSets(storage::Storage& storage);
    void enterSet(storage::Storage& storage, const backup_set::FoundBackupSet& found);
    void enterRounds(storage::Storage& storage);
    void enterRound(storage::Storage& storage, std::uint64_t dest, std::uint64_t round);
    /// Runs `work`; damage, and what is missing, becomes a row.
    template <typename Work>
    void orSkip(const char* object, std::int64_t id, Work work);
    void add(const char* object, std::int64_t id, const char* result, const std::string& comment = {});

    const BackupJobParts& parts_;
    const catalog::Tenant tenant_;
    const KeyOf key_of_;
    std::string path_;
    std::vector<CatalogRow> rows_;
};

}  // namespace tidemark::backup
