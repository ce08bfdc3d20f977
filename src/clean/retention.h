#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/delete_store.h"

namespace tidemark::clean {

/// Which backups may go: the rules alone, over what the catalog knows, without a look at the clock or a destination.
///
/// The window: of the good full sets whose point (MIN_RESTORE_SCN) is at or before the expiry, the newest is the
/// *anchor*: it stays, and everything from it on. What is before it has expired. Without an anchor nothing has.
///
/// Whatever is asked, a set is held while it is kept, in use, in the making, leaned on by one that stays, or the last
/// good full set of the tenant; a piece of the log while it is written, in use, needed by a good set, or behind one of its
/// round that stays. A set needs the log from its own point on; one that has expired and is kept all the same needs none,
/// and restores to its point alone. Without a good set no log goes.
struct Judgement {
    std::vector<catalog::DeletedThing> expired;  ///< of a judgement by an expiry
    std::vector<catalog::DeletedThing> remove;   ///< may go, in the order in which they are to: who leans before who bears
    std::map<catalog::DeletedThing, std::string> held;  ///< asked for, or expired, and has to stay: why
};

/// Everything that a window does not need.
Judgement judgeObsolete(const catalog::BackupInventory& inventory, Scn expiry, Scn now);

/// These sets. Throws Ob::InvalidBackupSetId for one that there is not.
Judgement judgeSets(const catalog::BackupInventory& inventory, const std::vector<std::int64_t>& ids, Scn now);

/// These pieces of the log. Throws Ob::DeletePieceNotAllowed for one that there is not.
Judgement judgePieces(const catalog::BackupInventory& inventory, const std::vector<std::int64_t>& ids);

/// Good: it can be restored.
bool isGood(const catalog::BackupSet& set);

}  // namespace tidemark::clean
