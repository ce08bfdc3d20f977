#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "view/mirrored_table.h"

namespace tidemark::view {

/// By table: what the copies of one tenant hold. None of a table: what is there is not known.
using KnownRows = std::map<std::string, RowHashes>;

/// Whose rows are to be read, and which.
struct Reading {
    catalog::TenantId tenant = 0;
    catalog::Topic topics{};
    const KnownRows* known = nullptr;
};

/// What changes so often that the rows of all tenants concerned are read together.
constexpr catalog::Topic kFrequent = catalog::Topic::ArchiveProgress | catalog::Topic::BackupProgress |
                                     catalog::Topic::ValidateProgress | catalog::Topic::Covered;

/// True of topics that are all in kFrequent.
bool isFrequent(catalog::Topic topics);

/// What has changed of each tenant, in the same order. One statement for each table, however many tenants there are;
/// more than one if all their topics are frequent. `sys` is in a transaction of one snapshot.
std::vector<std::vector<TableChange>> readChanges(mysql::SqlClient& sys, std::span<const Reading> readings);

}  // namespace tidemark::view
