#include "front/client_statements.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "front/ignored_settings.h"
#include "oceanbase/ob_error.h"
#include "statement/token.h"

namespace tidemark::front {
namespace {

using statement::Token;
using statement::TokenKind;

bool isSymbol(const Token& token, char symbol) {
    return token.kind == TokenKind::Symbol && token.text[0] == symbol;
}

/// Statements that have no others in their body: the next ';' ends them.
bool endsAtSemicolon(const Tokens& tokens) {
    static constexpr auto kVerbs = std::to_array<std::string_view>(
        {"SET",     "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE",  "COMMIT", "ROLLBACK", "START",    "SAVEPOINT",
         "RELEASE", "SHOW",   "USE",    "DO",     "CALL",   "TRUNCATE", "DROP",   "DESC",     "DESCRIBE", "EXPLAIN"});
    return std::any_of(kVerbs.begin(), kVerbs.end(), [&](auto verb) { return isKeyword(tokens, 0, verb); }) ||
           (isKeyword(tokens, 0, "BEGIN") && tokens.size() == 1);
}

/// In GBK, Big5 or Shift-JIS the second byte of a character may look like one of these.
bool mayHideACharacter(std::string_view text) {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (static_cast<unsigned char>(text[i]) >= 0x80 && (text[i + 1] == '\\' || text[i + 1] == '`')) return true;
    }
    return false;
}

/// One statement of a text.
struct Part {
    std::string_view text;  ///< without its ';'
    Tokens tokens;
    bool doubtful = false;  ///< another character set or sql_mode might cut it elsewhere
};

/// Cuts statements off a text, one by one.
class Parts {
public:
    Parts(std::string_view text, ClientSyntax syntax) : rest_(text), syntax_(syntax) {}

    /// nullopt at the end of the text. Throws Ob::ParseSql.
    std::optional<Part> next() {
        while (!rest_.empty()) {
            Part part{.text = {}, .tokens = statement::firstStatement(rest_)};
            const Token end = part.tokens.back();
            part.tokens.pop_back();
            rest_ = end.rest.substr(isSymbol(end, ';') ? 1 : 0);
            if (part.tokens.empty()) continue;
            const char* const begin = part.tokens.front().rest.data();
            part.text = {begin, static_cast<std::size_t>(end.rest.data() - begin)};
            part.doubtful = mayHideACharacter(part.text) ||
                            (syntax_.no_backslash_escapes && part.text.find('\\') != std::string_view::npos);
            return part;
        }
        return std::nullopt;
    }

private:
    std::string_view rest_;
    ClientSyntax syntax_;
};

void requireCertain(const Part& part) {
    if (!part.doubtful) return;
    throw obError(Ob::NotSupported,
                  "SET of an ob_ variable beside a text with backslashes is, in this character set or sql_mode,",
                  "send it alone");
}

/// Not by a list of initializers, which would leave a copy of what may be a password.
StatementPlan onlyOwn(std::string_view text) {
    StatementPlan plan;
    plan.own.emplace_back(text);
    return plan;
}

/// Puts the text together again, and knows what in it is whose.
class Planner {
public:
    Planner(std::string_view text, const statement::StatementService& service, ClientSyntax syntax)
        : text_(text), service_(service), syntax_(syntax), parts_(text, syntax) {}

    StatementPlan plan() {
        while (const auto part = next()) {
            take(*part);
            if (!syntax_.several_statements || (!last_is_own_ && !endsAtSemicolon(part->tokens))) break;
        }
        if (own_ == 0) return forTenant();
        // One text that is no list for the tenant either: the answer will say where its syntax ends.
        if (!syntax_.several_statements) return onlyOwn(text_);
        if (others_ > 0 || unread_ || next()) {
            throw obError(Ob::NotSupported, "Tidemark's own statements and others in one query are",
                          "send them one at a time; none of these has run");
        }
        return {.own = std::move(answers_)};
    }

private:
    std::optional<Part> next() {
        try {
            return parts_.next();
        } catch (const Error&) {
            unread_ = true;
            return std::nullopt;
        }
    }

    void take(const Part& part) {
        last_is_own_ = service_.isOwn(part.text);
        if (last_is_own_) {
            ++own_;
            answers_.emplace_back(part.text);
            return;
        }
        const auto kept = withoutIgnoredSettings(part.text, part.tokens);
        if (!kept) {
            ++others_;
            return;
        }
        requireCertain(part);
        const auto begin = static_cast<std::size_t>(part.text.data() - text_.data());
        tenants_.append(text_.substr(copied_, begin - copied_)).append(*kept);
        copied_ = begin + part.text.size();
        if (*kept == kNothingToDo) {
            answers_.emplace_back();
        } else {
            ++others_;
        }
    }

    StatementPlan forTenant() const {
        if (copied_ == 0) return {};
        return {.for_tenant = tenants_ + std::string(text_.substr(copied_))};
    }

    const std::string_view text_;
    const statement::StatementService& service_;
    const ClientSyntax syntax_;
    Parts parts_;
    std::string tenants_;  ///< the text for the tenant, up to `copied_` of ours
    std::size_t copied_ = 0;
    std::vector<std::string> answers_;
    int own_ = 0;
    int others_ = 0;
    bool last_is_own_ = false;
    bool unread_ = false;  ///< the rest has no end
};

bool containsIgnoringCase(std::string_view text, std::string_view wanted) {
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                       [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; }) != text.end();
}

}  // namespace

bool mayHoldIgnoredSettings(std::string_view start, bool whole) {
    const auto words = statement::firstWords(start, 1);
    const bool first = !words.empty() && words[0] == "SET";
    if (!first && (!whole || start.find(';') == std::string_view::npos)) return false;
    return containsIgnoringCase(start, "ob_");
}

StatementPlan planStatements(std::string_view text, const statement::StatementService& service, ClientSyntax syntax) {
    StatementPlan plan = Planner(text, service, syntax).plan();
    if (plan.unchanged() && service.isOwn(text)) plan = onlyOwn(text);
    return plan;
}

}  // namespace tidemark::front
