#include "statement/statement.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "oceanbase/ob_error.h"
#include "statement/parse.h"

namespace tidemark::statement {
namespace {

/// First words that no MariaDB statement has, so nothing of a tenant's is ever taken away.
bool isOwnStart(const std::vector<std::string>& words) {
    static constexpr auto kStarts = std::to_array<std::array<std::string_view, 3>>({
        {"ALTER", "SYSTEM"},
        {"EXPLAIN", "ALTER", "SYSTEM"},
        {"ALTER", "RESOURCE"},
        {"ALTER", "TENANT"},
        {"CREATE", "RESOURCE"},
        {"CREATE", "TENANT"},
        {"CREATE", "STANDBY"},
        {"DROP", "RESOURCE"},
        {"DROP", "TENANT"},
        {"SHOW", "TENANT"},
        {"SHOW", "PARAMETERS"},
        {"SHOW", "RECYCLEBIN"},
        {"SHOW", "RESTORE", "PREVIEW"},
        {"SHOW", "CREATE", "TENANT"},
        {"SET", "ENCRYPTION"},
        {"SET", "DECRYPTION"},
        {"FLASHBACK", "TENANT"},
        {"PURGE", "TENANT"},
    });
    const auto begins = [&](const auto& start) {
        const auto end = std::find(start.begin(), start.end(), "");  // of those with two words the third is empty
        return words.size() >= static_cast<std::size_t>(end - start.begin()) &&
               std::equal(start.begin(), end, words.begin());
    };
    return std::any_of(kStarts.begin(), kStarts.end(), begins);
}

Statement parseShowParameters(TokenStream& in) {
    if (in.isWord("WHERE")) return Unsupported{"SHOW PARAMETERS WHERE"};
    ShowParameters show;
    if (in.acceptWord("LIKE")) show.like = in.value();
    show.tenants = parseTenantClause(in);
    return show;
}

/// What follows SET ENCRYPTION.
Statement parseSetEncryption(TokenStream& in) {
    if (in.acceptWord("OFF")) return SetEncryption{};
    in.expectWord("ON");
    if (in.atEnd()) return Unsupported{"SET ENCRYPTION ON without a password"};
    in.expectWord("IDENTIFIED");
    in.expectWord("BY");
    SetEncryption set{parsePassword(in)};
    if (!in.acceptWord("ONLY")) return Unsupported{"SET ENCRYPTION ON IDENTIFIED BY without ONLY"};
    return set;
}

/// What follows SET DECRYPTION.
SetDecryption parseSetDecryption(TokenStream& in) {
    SetDecryption set;
    if (in.acceptWord("OFF")) return set;
    in.expectWord("IDENTIFIED");
    in.expectWord("BY");
    do {
        set.passwords.push_back(parsePassword(in));
    } while (in.acceptSymbol(','));
    return set;
}

Statement parseStatement(TokenStream& in, const std::vector<std::string>& words) {
    if (in.acceptWords({"ALTER", "SYSTEM"})) return parseAlterSystem(in);
    if (in.acceptWords({"SET", "ENCRYPTION"})) return parseSetEncryption(in);
    if (in.acceptWords({"SET", "DECRYPTION"})) return parseSetDecryption(in);
    if (in.acceptWords({"EXPLAIN", "ALTER", "SYSTEM"})) return parseExplain(in);
    if (in.acceptWords({"SHOW", "TENANT"})) {
        if (in.isWord("STATUS")) return Unsupported{"SHOW TENANT STATUS"};
        return ShowTenant{};
    }
    if (in.acceptWords({"SHOW", "PARAMETERS"})) return parseShowParameters(in);
    if (in.acceptWords({"SHOW", "RESTORE", "PREVIEW"})) return ShowRestorePreview{};
    if (in.isWord("SHOW") && words.size() > 2) return Unsupported{words[0] + " " + words[1] + " " + words[2]};
    if (in.isWord("CREATE") || in.isWord("ALTER") || in.isWord("DROP")) return parseResource(in);
    return Unsupported{words.at(0) + " " + words.at(1)};
}

const std::string* singleName(const TenantClause& clause) {
    return clause.names.size() == 1 ? &clause.names[0] : nullptr;
}

/// The tenant that a statement names; null if it names none or several.
struct NamedTenant {
    const std::string* operator()(const Restore& restore) const { return &restore.tenant; }
    const std::string* operator()(const CancelRestore& cancel) const { return &cancel.tenant; }
    const std::string* operator()(const CreateTenant& create) const { return &create.name; }
    const std::string* operator()(const AlterTenant& alter) const { return &alter.name; }
    const std::string* operator()(const DropTenant& drop) const { return &drop.name; }
    template <typename Other>
    const std::string* operator()(const Other& other) const {
        if constexpr (requires { other.tenants; }) return singleName(other.tenants);
        return nullptr;
    }
};

/// What is refused anyway is refused whole, without a look at its rest.
bool restIsIgnored(const Statement& statement) {
    return std::holds_alternative<Unsupported>(statement);
}

}  // namespace

bool isOwnStatement(std::string_view text) {
    return isOwnStart(firstWords(text, 3));
}

bool mayHoldPassword(std::string_view text) {
    const auto has = [&](std::string_view word) {
        return std::search(text.begin(), text.end(), word.begin(), word.end(),
                           [](unsigned char a, char b) { return std::toupper(a) == b; }) != text.end();
    };
    return has("IDENTIFIED") || has("ENCRYPTED") || has("ENCRYPTION") || has("DECRYPTION");
}

std::size_t countParameters(std::string_view text) {
    const auto tokens = tokenize(text);
    const auto count = static_cast<std::size_t>(std::count_if(
        tokens.begin(), tokens.end(), [](const Token& token) { return token.kind == TokenKind::Parameter; }));
    // 0 is a text, a number and an SCN: good wherever a value may stand.
    parse(text, std::vector<mysql::Value>(count, std::int64_t{0}));
    return count;
}

Statement parse(std::string_view text, const std::vector<mysql::Value>& parameters) {
    const auto words = firstWords(text, 3);
    try {
        TokenStream in(tokenize(text), parameters);
        if (!isOwnStart(words)) in.fail();
        Statement statement = parseStatement(in, words);
        if (!restIsIgnored(statement)) in.expectEnd();
        return statement;
    } catch (const Error& error) {
        // What it says is near the mistake may be the password.
        if (!mayHoldPassword(text) || !error.sql() || error.sql()->number != obError(Ob::ParseSql).sql()->number) throw;
        throw obError(Ob::ParseSql, "the statement has a password in it, and is not repeated here",
                      "SET ENCRYPTION ON IDENTIFIED BY '…' ONLY; SET DECRYPTION IDENTIFIED BY '…', '…'");
    }
}

std::string tenantOf(std::string_view text, const std::vector<mysql::Value>& parameters, const std::string& caller) {
    if (caller != "sys") return caller;
    try {
        const Statement statement = parse(text, parameters);
        const std::string* named = std::visit(NamedTenant(), statement);
        return named == nullptr || named->empty() ? caller : *named;
    } catch (const Error&) {
        return caller;  // it is refused when it is run, and takes no time
    }
}

}  // namespace tidemark::statement
