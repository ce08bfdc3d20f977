#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "mysql/sql_client.h"

namespace tidemark::statement {

enum class TokenKind {
    Word,       ///< a bare word: keyword, name, or unquoted value such as 5G or zone1
    Name,       ///< `in backticks`
    String,     ///< 'text' or "text", with its escapes resolved
    Number,     ///< digits, with fraction
    Parameter,  ///< ?
    Symbol,     ///< one character of punctuation
    End,
};

struct Token {
    TokenKind kind = TokenKind::End;
    std::string text;
    int line = 1;
    std::string_view rest;  ///< from this token on, as the user wrote it: a part of the text, which outlives the token

    Token() = default;
    Token(TokenKind its_kind, int its_line, std::string_view its_rest)
        : kind(its_kind), line(its_line), rest(its_rest) {}
    Token(const Token&) = default;
    Token(Token&&) = default;
    Token& operator=(const Token&) = default;
    Token& operator=(Token&&) = default;
    /// It may be a password.
    ~Token() { wipe(text); }
};

/// Cuts a statement into tokens by MariaDB's lexical rules (default sql_mode). Comments are dropped. Strings may use
/// backslashes or doubled quotes. The last token is End.
///
/// Throws Ob::ParseSql for a string or comment without an end. A comment that a server executes (/*! … */) throws it
/// too: without that comment, a part of the statement would be missing.
std::vector<Token> tokenize(std::string_view text);

/// The tokens of the first statement in a text. The last one is the statement's `;`, or End if there is none. Throws as
/// tokenize().
std::vector<Token> firstStatement(std::string_view text);

/// The first words of a statement in upper case, at most `count`. The rest of the text is not read: every query of
/// every client gets this look.
std::vector<std::string> firstWords(std::string_view text, std::size_t count);

/// Walks over the tokens of one statement. Questions (isWord(), startsAssignment()) only look. accept…() takes what it
/// names if that comes next, and says whether it did. Everything else takes what it names or throws Ob::ParseSql, whose
/// text names the place.
class TokenStream {
public:
    /// Each `?` takes the next of the `parameters`. A `?` for which there is no parameter left stays a `?`, which is
    /// refused wherever it stands.
    TokenStream(std::vector<Token> tokens, const std::vector<mysql::Value>& parameters);

    bool atEnd() const { return peek().kind == TokenKind::End; }
    /// Whether the next token is this keyword (upper case), or the one that comes `ahead` tokens later.
    bool isWord(std::string_view keyword, std::size_t ahead = 0) const;
    bool acceptWord(std::string_view keyword);
    /// Takes the keywords if all of them come next, in this order, else none.
    bool acceptWords(std::initializer_list<std::string_view> keywords);
    void expectWord(std::string_view keyword);
    bool acceptSymbol(char symbol);
    void expectSymbol(char symbol);
    /// Takes the `=` that may stand between a clause and its value.
    void skipEquals() { acceptSymbol('='); }

    /// Takes a name. It may be bare or quoted in any way.
    std::string name();
    /// Takes a value, which is a string, a number or a bare word.
    std::string value();
    /// Takes a text that is to be kept secret.
    Secret secret();
    /// Takes a list: name[,name…]
    std::vector<std::string> names();
    /// Takes the name of an option or parameter and returns it in lower case.
    std::string key();
    /// Whether key() would return `name`.
    bool isKey(std::string_view name) const;
    /// Whether the next two tokens are a name and `=`, or a name and `TO`.
    bool startsAssignment() const;

    /// Throws unless the statement ends here; a `;` may still follow.
    void expectEnd();
    [[noreturn]] void fail() const;

private:
    const Token& peek(std::size_t ahead = 0) const;
    Token next();

    std::vector<Token> tokens_;
    std::size_t position_ = 0;
};

}  // namespace tidemark::statement
