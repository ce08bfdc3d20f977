#include <strings.h>

#include <charconv>

#include "oceanbase/ob_error.h"
#include "statement/parse.h"

namespace tidemark::statement {
namespace {

/// name {= | TO} value [, name = value …] and the clauses that say where it holds.
SetParameters parseSetParameters(TokenStream& in) {
    SetParameters set;
    do {
        std::string name = in.key();
        if (!in.acceptSymbol('=') && !in.acceptWord("TO")) in.fail();
        set.assignments.emplace_back(std::move(name), in.value());
    } while (in.acceptSymbol(','));
    if (in.acceptWord("COMMENT")) {
        in.skipEquals();
        in.value();
    }
    if (in.acceptWord("SCOPE")) {  // MEMORY | SPFILE | BOTH: every value is kept and holds at once
        in.skipEquals();
        in.key();
    }
    if (in.acceptWord("SERVER") || in.acceptWord("ZONE")) {  // one node, one zone: the whole cluster
        in.skipEquals();
        in.value();
    }
    set.tenants = parseTenantClause(in);
    return set;
}

Backup parseBackup(TokenStream& in) {
    Backup backup;
    backup.incremental = in.acceptWord("INCREMENTAL");
    if (!in.acceptWord("DATABASE")) {
        backup.tenants = parseTenantClause(in);
        if (!backup.tenants.given) in.fail();
    }
    if (in.acceptWord("TO")) {
        in.skipEquals();
        backup.to = in.value();
    }
    backup.plus_archivelog = in.acceptWords({"PLUS", "ARCHIVELOG"});
    backup.description = parseDescription(in);
    // A session of a user tenant that names tenants anyway is told so, not that its syntax is wrong.
    if (!backup.tenants.given) backup.tenants = parseTenantClause(in);
    return backup;
}

Scn parseScn(const std::string& text) {
    Scn scn = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), scn);
    if (problem != std::errc() || end != text.data() + text.size()) {
        throw obError(Ob::InvalidArgument, "until scn", "an SCN is a whole number of nanoseconds since 1970");
    }
    return scn;
}

/// FROM 'uri' [UNTIL …], of Restore or PreviewRestore.
template <typename Kind>
void parseFrom(TokenStream& in, Kind& restore) {
    in.expectWord("FROM");
    restore.from = in.value();
    if (!in.acceptWord("UNTIL")) return;
    const bool is_time = in.acceptWord("TIME");
    if (!is_time) in.expectWord("SCN");
    in.skipEquals();
    const std::string point = in.value();
    if (is_time) {
        restore.until_time = point;
    } else {
        restore.until_scn = parseScn(point);
    }
}

/// [WITH KEY FROM 'uri' ENCRYPTED BY 'password']
SavedKeys parseSavedKeys(TokenStream& in) {
    SavedKeys keys;
    if (!in.acceptWord("WITH")) return keys;
    in.expectWord("KEY");
    in.expectWord("FROM");
    keys.from = in.value();
    if (keys.from.empty()) throw obError(Ob::InvalidBackupDest, "", "write it as file:///directory");
    in.expectWord("ENCRYPTED");
    in.expectWord("BY");
    keys.password = parsePassword(in);
    return keys;
}

PreviewRestore parsePreview(TokenStream& in) {
    PreviewRestore preview;
    parseFrom(in, preview);
    if (in.isWord("WITH"))
        throw obError(Ob::NotSupported, "RESTORE without a tenant's name is",
                      "RESTORE t FROM …, or RESTORE FROM … PREVIEW");
    in.expectWord("PREVIEW");
    preview.keys = parseSavedKeys(in);
    return preview;
}

Statement parseRestore(TokenStream& in) {
    if (in.isWord("FROM")) return parsePreview(in);
    Restore restore;
    restore.tenant = in.name();
    parseFrom(in, restore);
    in.expectWord("WITH");
    restore.options = in.value();
    restore.keys = parseSavedKeys(in);
    restore.description = parseDescription(in);
    return restore;
}

Statement parseCancel(TokenStream& in) {
    if (in.acceptWord("BACKUP")) return CancelBackup{parseTenantClause(in)};
    if (in.acceptWord("RESTORE")) return CancelRestore{in.name()};
    if (in.acceptWord("VALIDATE")) return CancelValidate{parseTenantClause(in)};
    return Unsupported{"CANCEL of anything but BACKUP, DELETE BACKUP, RESTORE and VALIDATE"};
}

/// n[, n …] | ALL
Statement parseValidate(TokenStream& in) {
    in.expectWord("BACKUPSET");
    in.skipEquals();
    Validate validate;
    if (in.acceptWord("ALL")) {
        validate.sets = "ALL";
    } else {
        do {
            validate.sets += (validate.sets.empty() ? "" : ",") + in.value();
        } while (in.acceptSymbol(','));
    }
    validate.tenants = parseTenantClause(in);
    if (in.acceptWord("WITH")) {
        in.expectWord("RESTORE");
        validate.with_restore = true;
    }
    return validate;
}

Statement parseBackupKey(TokenStream& in) {
    BackupKey backup{.tenants = parseTenantClause(in), .to = {}, .password = {}};
    in.expectWord("TO");
    in.skipEquals();
    backup.to = in.value();
    if (in.atEnd()) return Unsupported{"BACKUP KEY without ENCRYPTED BY"};
    in.expectWord("ENCRYPTED");
    in.expectWord("BY");
    backup.password = parsePassword(in);
    return backup;
}

CatalogBackup parseCatalog(TokenStream& in) {
    CatalogBackup catalog;
    if (in.acceptWord("FROM")) {
        in.skipEquals();
        catalog.from = in.value();
        if (catalog.from.empty()) throw obError(Ob::InvalidBackupDest, "", "write it as file:///directory");
    }
    catalog.tenants = parseTenantClause(in);
    catalog.keys = parseSavedKeys(in);
    return catalog;
}

SwitchArchiveMode parseArchiveMode(TokenStream& in, bool archive) {
    SwitchArchiveMode mode{.archive = archive, .tenants = parseTenantClause(in)};
    mode.description = parseDescription(in);
    return mode;
}

/// Statements of OceanBase around backup and standby whose time comes later; named so that the answer is clear.
std::optional<Unsupported> parseLater(const TokenStream& in) {
    for (const std::string_view word : {"ADD", "CLEAR", "DROP", "DELETE", "SWITCHOVER", "RECOVER", "RUN", "STOP",
                                        "RESET", "BOOTSTRAP", "START", "MAJOR", "MINOR", "FLUSH", "REFRESH", "KILL"}) {
        if (in.isWord(word)) return Unsupported{"ALTER SYSTEM " + std::string(word)};
    }
    return std::nullopt;
}

}  // namespace

Secret parsePassword(TokenStream& in) {
    // What OceanBase says of a longer one is not known; nobody types one.
    constexpr std::size_t kLongestPassword = 1024;
    Secret password = in.secret();
    if (password.empty() || password.size() > kLongestPassword) {
        throw obError(Ob::InvalidArgument, "password", "it has 1 to 1024 bytes");
    }
    return password;
}

std::string parseDescription(TokenStream& in) {
    if (!in.acceptWord("DESCRIPTION")) return {};
    in.skipEquals();
    return in.value();
}

TenantClause parseTenantClause(TokenStream& in) {
    TenantClause clause;
    if (!in.acceptWord("TENANT")) return clause;
    in.skipEquals();
    clause.given = true;
    clause.names = in.names();
    if (clause.names.size() == 1 && strcasecmp(clause.names[0].c_str(), "ALL") == 0) {
        clause.all = true;
        clause.names.clear();
    }
    return clause;
}

Statement parseAlterSystem(TokenStream& in) {
    if (in.acceptWord("ARCHIVELOG")) return parseArchiveMode(in, true);
    if (in.acceptWord("NOARCHIVELOG")) return parseArchiveMode(in, false);
    if (in.acceptWords({"BACKUP", "KEY"})) return parseBackupKey(in);
    if (in.acceptWord("BACKUP")) return parseBackup(in);
    if (in.acceptWord("RESTORE")) return parseRestore(in);
    if (auto deletion = parseDeletion(in)) return std::move(*deletion);
    if (in.acceptWord("VALIDATE")) return parseValidate(in);
    if (in.acceptWords({"CATALOG", "BACKUP"})) return parseCatalog(in);
    if (in.acceptWord("CANCEL")) return parseCancel(in);
    if (in.acceptWord("ACTIVATE")) {
        in.expectWord("STANDBY");
        ActivateStandby activate{parseTenantClause(in)};
        if (in.acceptWord("VERIFY")) return Unsupported{"ACTIVATE STANDBY … VERIFY"};
        return activate;
    }
    if (in.acceptWord("SHUTDOWN")) return Shutdown{};
    if (const auto later = parseLater(in)) return *later;
    const bool set = in.acceptWord("SET");
    if (!set && !in.startsAssignment()) in.fail();
    return parseSetParameters(in);
}

}  // namespace tidemark::statement
