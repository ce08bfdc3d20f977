#pragma once

#include <map>
#include <string>
#include <vector>

#include "archive/layout.h"
#include "backup_set/backup_set.h"
#include "catalog/stores.h"
#include "storage/storage.h"

namespace tidemark::validate {

/// A part of a validation: it is checked, and noted, as a whole.
struct PlannedUnit {
    enum class Kind { DataDestination, ArchiveDestination, Set, Round, Piece, Restore };

    Kind kind = Kind::Set;
    std::string path;  ///< URI of the destination
    catalog::ValidateUnit id;
    bool incremental = false;  ///< the set is
    bool follows = false;      ///< a piece: the one before it is checked too
    // As they were listed at the begin; of a set that is restored, what the catalog says that it restores to:
    std::uint64_t bytes = 0;
    std::int64_t objects = 0;

    backup_set::SetId set() const;
    archive::PieceKey piece() const;
};

/// What a validation consists of, and how far it is: JSON in the record of work, for the attempt that comes next.
struct ValidatePlan {
    std::vector<PlannedUnit> units;  ///< sets come before those that lean on them
    std::size_t next = 0;
    // Of the units before `next`, as they were read:
    std::uint64_t bytes = 0;
    std::int64_t objects = 0;
    std::int64_t findings = 0;
    std::map<std::int64_t, std::string> positions;  ///< by set: GTID position from which its log goes on

    std::string text() const;
    /// Of no text: nothing is planned yet.
    static ValidatePlan from(const std::string& text);
};

/// The numbers in "1,2"; empty for "ALL". Throws Ob::InvalidArgument.
std::vector<std::int64_t> parseSets(const std::string& text);

/// The sets of a tenant that can be validated: complete ones, whose objects nobody removes.
std::vector<catalog::BackupSet> validatableSets(catalog::BackupStore& store, catalog::TenantId tenant);

/// The wanted sets (none: all), those that they lean on, and the log behind each; then the wanted ones again, to be
/// restored, if that is asked for. Throws Ob::EntryNotExist, naming a
/// set that there is not. Asks the catalog alone; nothing is measured yet.
ValidatePlan planValidation(catalog::Stores& stores, catalog::TenantId tenant, const std::vector<std::int64_t>& wanted,
                            bool with_restore = false);

/// Lists its objects and counts their bytes.
void measure(storage::Storage& storage, PlannedUnit& unit);

}  // namespace tidemark::validate
