#pragma once

#include <string>
#include <utility>
#include <vector>

#include "catalog/archive_store.h"
#include "catalog/backup_store.h"
#include "catalog/validate_store.h"

namespace tidemark::validate {

/// What a tenant could be restored to if nothing were damaged: from the catalog.
struct Restorable {
    struct Set {
        std::int64_t id = 0;
        std::int64_t dest_id = 0;
        std::int64_t round_id = 0;  ///< whose log goes on behind it; 0: none
        Scn from = 0;
        Scn own_to = 0;  ///< to where the log leads that it carries itself; 0: none
    };
    struct Round {
        std::int64_t id = 0;
        std::int64_t dest_id = 0;
        Scn to = 0;
    };
    std::vector<Set> sets;
    std::vector<Round> rounds;
};

/// The round whose log goes on behind a set: the last one that had begun by then. Null if there is none.
const catalog::ArchiveRound* roundBehind(const std::vector<catalog::ArchiveRound>& rounds,
                                         const catalog::BackupSet& set);

/// Of the sets that are complete.
Restorable restorable(const std::vector<catalog::BackupSet>& sets, const std::vector<catalog::ArchiveRound>& rounds);

/// What can no longer be restored.
struct Lost {
    std::vector<std::int64_t> sets;           ///< from which nothing can be
    std::vector<std::pair<Scn, Scn>> ranges;  ///< of points that no set and log reach any more, both ends included

    std::string setList() const;    ///< "1,2"
    std::string rangeList() const;  ///< "17…-17…,18…-18…"
};
Lost lostBy(const Restorable& all, const std::vector<catalog::FindingRow>& findings);

}  // namespace tidemark::validate
