#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backup/backup_job.h"
#include "backup_set/key_bag.h"
#include "catalog/validate_store.h"
#include "oceanbase/ob_error.h"
#include "storage/destination.h"

namespace tidemark::backup {

/// What became of something that lies at a destination.
struct CatalogRow {
    std::string object;   ///< BACKUP SET, ROUND, BACKUP PIECE; OBJECT for what is none of these
    std::int64_t id = 0;  ///< 0 for an OBJECT
    std::string
        result;        ///< CATALOGED: it was not there, or without its key; KNOWN: it was, and is what it was; SKIPPED
    std::string path;  ///< of the destination
    std::string comment;  ///< why it was skipped, or what is not known of it
};

/// CATALOG BACKUP: enters in the catalog what lies at a tenant's destinations and is not there, so that the views of
/// sets, rounds and pieces show it as they did. Writes nothing to a destination. What the catalog has stays as it is,
/// but for sets without their key, which get it. Not thread-safe; one per statement.
///
/// In which order destinations are named makes no difference. Of several copies of a set one is entered: one that is
/// whole before one whose index is lost, then what lies at the tenant's present destination, then where it was made.
class Cataloging {
public:
    /// The key of an encrypted set; null if it is not to be had: then it is entered without what its description hides.
    using KeyOf = std::function<backup_set::ChainKeyPtr(storage::Storage&, const backup_set::SetId&)>;

    Cataloging(const BackupJobParts& parts, const catalog::Tenant& tenant, KeyOf key_of);

    /// Destinations of either kind. Nothing is entered before all have been looked at: throws 9081 if one is not this
    /// tenant's of this cluster, and what storage::readDestination() throws. Unavailable if one goes meanwhile, or its
    /// log contradicts itself so that nothing of it can be read.
    std::vector<CatalogRow> run(const std::vector<std::string>& uris);

private:
    struct Place {
        storage::Destination destination;
        std::vector<backup_set::FoundBackupSet> sets;

        const std::string& path() const { return destination.uri; }
        storage::Storage& storage() const { return *destination.storage; }
    };
    /// A set at one of them.
    struct FoundSet {
        const Place* place;
        const backup_set::FoundBackupSet* set;
    };
    /// The same when it has been looked at, and can be restored.
    struct LookedAtSet {
        const Place* place = nullptr;
        backup_set::BackupSetDescription description;
        backup_set::ChainKeyPtr key;
        backup_set::KeyBag bag;
        std::optional<catalog::FindingRow> lost_index;
    };

    Place openPlace(const std::string& uri) const;
    void sortPlaces();
    void addForeign(const Place& place, const std::string& object);

    // Sets: cataloging_sets.cpp.
    void enterSets();
    void learnKeys(const std::vector<FoundSet>& found);
    backup_set::ChainKeyPtr keptKeyOf(std::int64_t set) const;
    bool wantsKey(const FoundSet& found) const;
    /// Of those that learnKeys() has learned; null for none.
    backup_set::ChainKeyPtr keyAt(const Place& place, const backup_set::SetId& id) const;
    void enterSet(std::int64_t number, const std::vector<FoundSet>& found);
    void completeSet(const catalog::BackupSet& known, const FoundSet& found);
    LookedAtSet lookAt(const FoundSet& found) const;
    void requireParents(const LookedAtSet& looked) const;
    catalog::BackupSet entryFor(const LookedAtSet& looked);
    void enter(const LookedAtSet& looked);

    void enterRounds(const Place& place);
    void enterRound(const Place& place, std::uint64_t dest, std::uint64_t round);
    /// Runs `work`; damage, and what is missing, becomes a row.
    template <typename Work>
    void orSkip(const Place& place, const char* object, std::int64_t id, Work work);
    void add(const Place& place, const char* object, std::int64_t id, const char* result,
             const std::string& comment = {});

    const BackupJobParts& parts_;
    const catalog::Tenant tenant_;
    const storage::DestinationIdentity own_;
    const KeyOf key_of_;
    std::vector<Place> places_;
    std::map<std::string, backup_set::ChainKeyPtr> keys_;  ///< by chain
    std::vector<CatalogRow> rows_;
};

template <typename Work>
void Cataloging::orSkip(const Place& place, const char* object, std::int64_t id, Work work) {
    try {
        work();
    } catch (const Error& error) {
        const bool damaged = error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::Conflict ||
                             error.code() == ErrorCode::NotFound || error.code() == ErrorCode::InvalidRequest;
        const bool lacks_parent = is(error, Ob::OpNotAllow);
        if (!damaged && !lacks_parent) throw;
        add(place, object, id, "SKIPPED", error.what());
    }
}

}  // namespace tidemark::backup
