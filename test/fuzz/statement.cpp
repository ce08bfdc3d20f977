#include "statement/statement.h"
#include "front/client_statements.h"
#include "front/kill_statement.h"
#include "fuzz.h"
#include "statement/token.h"

namespace tidemark::fuzz {
namespace {

/// Only what planStatements() asks for.
class OwnByFirstWords : public statement::StatementService {
public:
    bool isOwn(std::string_view text) const override { return statement::isOwnStatement(text); }
    std::size_t parameterCount(std::string_view text) const override { return statement::countParameters(text); }
    std::string about(const statement::Caller&, std::string_view, const std::vector<mysql::Value>&) const override {
        return {};
    }
    statement::StatementResult execute(const statement::Caller&, std::string_view,
                                       const std::vector<mysql::Value>&) override {
        return {};
    }
};

void tokens(std::string_view text) {
    const auto all = statement::tokenize(text);
    requireThat(all.back().kind == statement::TokenKind::End, "the last token is the end");
    const char* before = text.data();
    for (const auto& token : all) {
        requireThat(token.rest.data() >= before && token.rest.data() + token.rest.size() == text.data() + text.size(),
                    "each token lies behind the one before, inside of the text");
        before = token.rest.data();
    }
}

void plan(std::string_view text, std::uint8_t syntax) {
    const OwnByFirstWords service;
    front::mayHoldIgnoredSettings(text, true);
    const auto plan = front::planStatements(text, service, {(syntax & 1) != 0, (syntax & 2) != 0});
    // Only scopes are repeated, one for an assignment.
    if (plan.for_tenant) requireThat(plan.for_tenant->size() <= 8 * text.size() + 64, "a text does not grow");
}

void runStatement(ByteView input) {
    Choices choices(input);
    const std::uint8_t syntax = choices.byte();
    // On the heap and without a NUL behind it, so that a look behind the end is seen.
    const std::vector<char> copy(choices.rest().begin(), choices.rest().end());
    const std::string_view text(copy.data(), copy.size());
    accepted([&] { tokens(text); });
    requireThat(statement::firstWords(text, 3).size() <= 3, "no more words than were asked for");
    accepted([&] { statement::countParameters(text); });
    accepted([&] { statement::parse(text); });
    accepted([&] { statement::parse(text, {std::string("a"), std::int64_t{-1}, 1.5, nullptr}); });
    accepted([&] { plan(text, syntax); });
    if (const auto kill = front::findKillTarget(text)) {
        requireThat(kill->offset + kill->size <= text.size() && kill->size > 0, "a KILL names a part of its text");
    }
}

std::vector<Bytes> statementSeeds() {
    using namespace std::string_view_literals;  // a seed may have NULs
    return seedsOf({
        "\x01"
        "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///a b/c BINDING=Optional' TENANT = shop;",
        "\x01"
        "ALTER SYSTEM BACKUP INCREMENTAL DATABASE PLUS ARCHIVELOG DESCRIPTION = \"it''s\"",
        "\x01"
        "ALTER SYSTEM RESTORE t FROM 'file:///a,file:///b' UNTIL TIME = '2026-11-21 12:00:00' WITH 'pool_list=p'",
        "\x01"
        "ALTER SYSTEM RESTORE t FROM ? UNTIL SCN=1 WITH ? -- end",
        "\x01"
        "ALTER SYSTEM RESTORE t FROM 'file:///a' WITH 'p' WITH KEY FROM 'file:///k' ENCRYPTED BY 'pw' DESCRIPTION 'd'",
        "\x01"
        "ALTER SYSTEM BACKUP KEY TENANT = t TO 'file:///k' ENCRYPTED BY 'pw'; ALTER SYSTEM CATALOG BACKUP FROM 'u' TENANT t",
        "\x01"
        "ALTER SYSTEM CATALOG BACKUP TENANT t WITH KEY FROM 'file:///k' ENCRYPTED BY 'pw'",
        "\x01"
        "ALTER SYSTEM RESTORE FROM 'file:///a' UNTIL SCN = 1 PREVIEW WITH KEY FROM 'file:///k' ENCRYPTED BY 'pw'",
        "\x01"
        "CREATE RESOURCE UNIT IF NOT EXISTS `u 1` MAX_CPU 2, MEMORY_SIZE '512M';",
        "\x01"
        "CREATE TENANT shop RESOURCE_POOL_LIST=('p1','p2'), LOCALITY='F@z' SET VARIABLES a=1, b='x'",
        "\x01"
        "ALTER TENANT shop RENAME GLOBAL_NAME TO `s`; SHOW PARAMETERS LIKE '%arch%' TENANT ALL",
        "\x01"
        "SET SESSION ob_query_timeout = 1, @@session.x = (1, 2), @a := 3; SELECT 1; /* c */ SET ob_trx_timeout=5",
        "\x03"
        "SET ob_a = 'x\\', b = \"y\"",
        "\0KILL HARD QUERY 12 ;"sv,
        "\0kill/* x */17 # y"sv,
    });
}

const Registered registered_statement({"statement", runStatement, statementSeeds});

}  // namespace
}  // namespace tidemark::fuzz
