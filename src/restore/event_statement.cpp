#include "restore/event_statement.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/letters.h"

namespace tidemark::restore {
namespace {

struct Token {
    enum class Kind { Word, Name, String, Symbol, End };
    Kind kind = Kind::End;
    std::string text;  ///< of a word: in lower case

    bool is(std::string_view what) const { return (kind == Kind::Word || kind == Kind::Symbol) && text == what; }
};

/// The tokens of a statement that MariaDB has accepted.
class Tokens {
public:
    Tokens(std::string_view text, std::uint64_t sql_mode)
        : text_(text),
          ansi_quotes_((sql_mode & mysql::kModeAnsiQuotes) != 0),
          backslash_((sql_mode & mysql::kModeNoBackslashEscapes) == 0) {
        next();
    }

    const Token& now() const { return token_; }
    Token next() {
        Token before = std::move(token_);
        token_ = read();
        return before;
    }
    bool take(std::string_view what) {
        if (!token_.is(what)) return false;
        next();
        return true;
    }

private:
    static bool wordCharacter(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
    }
    bool at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    /// Blanks and comments; of one that is executed, its marks.
    void skip() {
        while (at_ < text_.size()) {
            if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
                ++at_;
            } else if (at("/*!") || at("/*M!")) {
                at_ += at("/*!") ? 3 : 4;
                while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0)
                    ++at_;
            } else if (at("/*")) {
                at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
            } else if (at("*/")) {
                at_ += 2;
            } else if (at("#") || at("-- ") || at("--\n") || at("--\t")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else {
                return;
            }
        }
    }

    Token quoted(char quote) {
        Token token{quote == '`' || (quote == '"' && ansi_quotes_) ? Token::Kind::Name : Token::Kind::String, {}};
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == quote) {
                if (at_ + 1 >= text_.size() || text_[at_ + 1] != quote) break;
                ++at_;
            } else if (text_[at_] == '\\' && backslash_ && token.kind == Token::Kind::String) {
                ++at_;
            }
            if (at_ < text_.size()) token.text += text_[at_];
        }
        ++at_;
        return token;
    }

    Token read() {
        skip();
        if (at_ >= text_.size()) return {};
        const char c = text_[at_];
        if (c == '`' || c == '"' || c == '\'') return quoted(c);
        const std::size_t begin = at_++;
        if (!wordCharacter(c)) return {Token::Kind::Symbol, std::string(1, c)};
        while (at_ < text_.size() && wordCharacter(text_[at_]))
            ++at_;
        return {Token::Kind::Word, lowerCase(std::string(text_.substr(begin, at_ - begin)))};
    }

    const std::string_view text_;
    const bool ansi_quotes_;
    const bool backslash_;
    std::size_t at_ = 0;
    Token token_;
};

EventName takeName(Tokens& tokens, const std::string& database) {
    EventName name{lowerCase(database), lowerCase(tokens.next().text)};
    if (tokens.take(".")) name = {name.event, lowerCase(tokens.next().text)};
    return name;
}

/// DEFINER = user[@host], or a role; a user may be called `event`.
void skipDefiner(Tokens& tokens) {
    if (!tokens.take("definer")) return;
    tokens.take("=");
    tokens.next();
    if (tokens.take("@")) tokens.next();
    if (tokens.take("(")) tokens.take(")");
}

std::string takeStatus(Tokens& tokens) {
    if (tokens.next().is("enable")) return "ENABLED";
    if (!tokens.take("on")) return "DISABLED";
    tokens.next();  // SLAVE
    return "SLAVESIDE_DISABLED";
}

/// The clauses behind the name, up to what the event does.
void readClauses(Tokens& tokens, const std::string& database, EventStatement& statement) {
    while (tokens.now().kind != Token::Kind::End && !tokens.now().is("do")) {
        if (tokens.now().is("enable") || tokens.now().is("disable")) {
            statement.status = takeStatus(tokens);
        } else if (tokens.take("rename")) {
            tokens.take("to");
            statement.renamed_to = takeName(tokens, database);
        } else {
            tokens.next();
        }
    }
}

bool skipIfExists(Tokens& tokens) {
    if (!tokens.take("if")) return false;
    tokens.take("not");
    return tokens.take("exists");
}

}  // namespace

std::optional<EventStatement> parseEventStatement(const mysql::QueryEvent& query) {
    Tokens tokens(query.text, query.sql_mode);
    EventStatement statement;
    const Token verb = tokens.next();
    if (verb.is("create")) {
        if (tokens.take("or")) tokens.take("replace");
    } else if (verb.is("alter")) {
        statement.kind = EventStatement::Kind::Alter;
    } else if (verb.is("drop")) {
        statement.kind = EventStatement::Kind::Drop;
    } else {
        return std::nullopt;
    }
    if (statement.kind == EventStatement::Kind::Drop && (tokens.take("database") || tokens.take("schema"))) {
        skipIfExists(tokens);
        statement.kind = EventStatement::Kind::DropDatabase;
        statement.name.database = lowerCase(tokens.next().text);
        return statement;
    }
    skipDefiner(tokens);
    if (!tokens.take("event")) return std::nullopt;
    statement.if_not_exists = skipIfExists(tokens) && statement.kind == EventStatement::Kind::Create;
    statement.name = takeName(tokens, query.database);
    if (statement.kind == EventStatement::Kind::Create) statement.status = "ENABLED";
    if (statement.kind != EventStatement::Kind::Drop) readClauses(tokens, query.database, statement);
    return statement;
}

}  // namespace tidemark::restore
