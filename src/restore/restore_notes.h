#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive/layout.h"
#include "backup_set/backup_set.h"
#include "catalog/types.h"

namespace tidemark::restore {

/// What of a plan has been decided: with it, a later attempt restores the same, though newer sets and more log have
/// come.
struct RestoreChoice {
    std::vector<std::string> uris;  ///< all destinations that were named
    Scn target = 0;
    bool newest = false;
    Scn settings_until = 0;
    std::string data_uri;
    backup_set::SetId set;
    std::string archive_uri;  ///< empty: no log
    archive::RoundKey round;
};

/// What the record of work of a restore says, for the attempt that comes next.
struct RestoreNotes {
    RestoreChoice choice;
    std::optional<catalog::Outcome> failure;  ///< it has failed, or was cancelled: only its tenant is to be removed
    std::string left_out;                     ///< for COMMENT of one that succeeds
    std::string key;                          ///< the set's, wrapped by the node's; empty: it is not encrypted

    std::string text() const;
    /// Of no text: nothing, not even a choice.
    static RestoreNotes from(const std::string& text);
};

}  // namespace tidemark::restore
