#include <charconv>

#include "oceanbase/ob_error.h"
#include "statement/parse.h"

namespace tidemark::statement {
namespace {

std::int64_t parseId(TokenStream& in) {
    const std::string text = in.value();
    std::int64_t id = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (problem == std::errc() && end == text.data() + text.size()) return id;
    throw obError(Ob::InvalidArgument, "the id of a backup set or piece", "it is a whole number");
}

std::optional<std::string> parseOption(TokenStream& in, std::string_view name) {
    if (!in.acceptWord(name)) return std::nullopt;
    in.skipEquals();
    return in.value();
}

std::string parsePolicyName(TokenStream& in) {
    in.skipEquals();
    return in.value();
}

AddDeletePolicy parseAddPolicy(TokenStream& in) {
    AddDeletePolicy add{.name = parsePolicyName(in)};
    add.recovery_window = parseOption(in, "RECOVERY_WINDOW");
    add.redundancy = parseOption(in, "REDUNDANCY");
    add.backup_copies = parseOption(in, "BACKUP_COPIES");
    add.tenants = parseTenantClause(in);
    return add;
}

Statement parseDelete(TokenStream& in) {
    DeleteBackup remove;
    using What = DeleteBackup::What;
    if (in.acceptWord("BACKUPSET")) {
        remove.what = What::Sets;
    } else if (in.acceptWord("BACKUPPIECE")) {
        remove.what = What::Pieces;
    } else if (!in.acceptWords({"OBSOLETE", "BACKUP"})) {
        return Unsupported{"function"};  // OceanBase's word for BACKUP ALL
    }
    if (remove.what != What::Obsolete) {
        do {
            remove.ids.push_back(parseId(in));
        } while (in.acceptSymbol(','));
    }
    remove.tenants = parseTenantClause(in);
    return remove;
}

KeepBackupSet parseKeep(TokenStream& in, bool keep) {
    in.expectWord("BACKUPSET");
    KeepBackupSet set{.keep = keep, .set = parseId(in)};
    if (keep && in.acceptWord("UNTIL")) {
        in.acceptWord("TIME");
        in.skipEquals();
        set.until = in.value();
    }
    set.tenants = parseTenantClause(in);
    return set;
}

}  // namespace

std::optional<Statement> parseDeletion(TokenStream& in) {
    if (in.acceptWords({"ADD", "DELETE", "BACKUP", "POLICY"})) return parseAddPolicy(in);
    if (in.acceptWords({"DROP", "DELETE", "BACKUP", "POLICY"})) {
        DropDeletePolicy drop{.name = parsePolicyName(in)};
        drop.tenants = parseTenantClause(in);
        return drop;
    }
    if (in.acceptWords({"CANCEL", "DELETE", "BACKUP"})) {
        CancelDeleteBackup cancel{parseTenantClause(in)};
        parseDescription(in);
        return cancel;
    }
    for (const std::string_view what : {"BACKUPSET", "BACKUPPIECE", "OBSOLETE", "BACKUP"}) {
        if (!in.isWord("DELETE") || !in.isWord(what, 1)) continue;
        in.acceptWord("DELETE");
        return parseDelete(in);
    }
    if (in.acceptWord("KEEP")) return parseKeep(in, true);
    if (in.acceptWord("NOKEEP")) return parseKeep(in, false);
    return std::nullopt;
}

Statement parseExplain(TokenStream& in) {
    auto statement = parseDeletion(in);
    auto* remove = statement ? std::get_if<DeleteBackup>(&*statement) : nullptr;
    if (remove == nullptr) return Unsupported{"EXPLAIN of anything but ALTER SYSTEM DELETE"};
    remove->explain = true;
    return std::move(*statement);
}

}  // namespace tidemark::statement
