#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

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
    std::string_view rest;  ///< the statement from here on, as it was written; it must outlive the token
};

/// Cuts a statement into tokens by MariaDB's lexical rules (default sql_mode): comments are dropped, strings may use
/// backslashes or doubled quotes. The last token is End. Throws Ob::ParseSql for a string or comment without an end,
/// and for a comment that a server executes (/*! … */): dropping it would drop a part of the statement.
std::vector<Token> tokenize(std::string_view text);

/// The tokens of the first statement in a text, up to its `;`, which comes last, or to End. Throws as tokenize().
std::vector<Token> firstStatement(std::string_view text);

/// The first words of a statement in upper case, at most `count`, without cutting the rest; for a quick look.
std::vector<std::string> firstWords(std::string_view text, std::size_t count);

/// Walks over tokens. What is expected and not there throws Ob::ParseSql, naming the place.
class TokenStream {
public:
    /// `?` tokens are replaced by `parameters`, in order. One that has no value is no value: it fails where it stands.
    TokenStream(std::vector<Token> tokens, const std::vector<mysql::Value>& parameters);

    bool atEnd() const { return peek().kind == TokenKind::End; }
    /// Whether the next token is this keyword (upper case); `ahead` looks further.
    bool isWord(std::string_view keyword, std::size_t ahead = 0) const;
    bool acceptWord(std::string_view keyword);
    /// All of them in a row, or none.
    bool acceptWords(std::initializer_list<std::string_view> keywords);
    void expectWord(std::string_view keyword);
    bool acceptSymbol(char symbol);
    void expectSymbol(char symbol);
    /// The optional `=` between a clause and its value.
    void skipEquals() { acceptSymbol('='); }

    /// A name, quoted in any way or bare.
    std::string name();
    /// A value: string, number or bare word.
    std::string value();
    /// name[,name…]
    std::vector<std::string> names();
    /// A keyword or parameter name, in lower case.
    std::string key();
    /// Whether that comes next, in any case.
    bool isKey(std::string_view name) const;
    /// Whether `name =` or `name TO` comes next.
    bool startsAssignment() const;

    /// Only an optional `;` may be left.
    void expectEnd();
    [[noreturn]] void fail() const;

private:
    const Token& peek(std::size_t ahead = 0) const;
    Token next();

    std::vector<Token> tokens_;
    std::size_t position_ = 0;
};

}  // namespace tidemark::statement
