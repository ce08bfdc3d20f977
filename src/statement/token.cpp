#include "statement/token.h"

#include <fmt/format.h>
#include <algorithm>
#include <cctype>

#include "base/letters.h"
#include "oceanbase/ob_error.h"

namespace tidemark::statement {
namespace {

bool isWordCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '@' || c == '.' ||
           static_cast<unsigned char>(c) >= 0x80;
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::toupper(c); });
    return result;
}

Error syntaxError(std::string_view near, int line) {
    return obError(Ob::ParseSql,
                   fmt::format("check the manual that corresponds to your OceanBase version for the right "
                               "syntax to use near '{}' at line {}",
                               near.substr(0, 80), line),
                   "docs/sql.md lists every statement that Tidemark understands");
}

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Token next() {
        skipBlanksAndComments();
        Token token(TokenKind::End, line_, text_.substr(position_));
        if (position_ == text_.size()) return token;
        const char c = text_[position_];
        if (c == '\'' || c == '"' || c == '`') {
            token.kind = c == '`' ? TokenKind::Name : TokenKind::String;
            token.text = quoted(c);
        } else if (isWordCharacter(c)) {
            token.text = word();
            const bool digits = std::all_of(token.text.begin(), token.text.end(),
                                            [](unsigned char d) { return std::isdigit(d) != 0 || d == '.'; });
            token.kind = digits ? TokenKind::Number : TokenKind::Word;
        } else {
            token.kind = c == '?' ? TokenKind::Parameter : TokenKind::Symbol;
            token.text = c;
            ++position_;
        }
        return token;
    }

private:
    bool startsWith(std::string_view prefix) const {
        return text_.substr(position_).substr(0, prefix.size()) == prefix;
    }

    void skipBlanksAndComments() {
        while (position_ < text_.size()) {
            if (std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
                line_ += text_[position_++] == '\n' ? 1 : 0;
            } else if (text_[position_] == '#' || startsWith("-- ") || startsWith("--\n") || startsWith("--\t")) {
                position_ = std::min(text_.find('\n', position_), text_.size());
            } else if (startsWith("/*!") || startsWith("/*M!")) {
                throw syntaxError(text_.substr(position_), line_);
            } else if (startsWith("/*")) {
                const auto end = text_.find("*/", position_ + 2);
                if (end == std::string_view::npos) throw syntaxError(text_.substr(position_), line_);
                line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(position_),
                                                     text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
                position_ = end + 2;
            } else {
                return;
            }
        }
    }

    std::string word() {
        const std::size_t begin = position_;
        while (position_ < text_.size() && isWordCharacter(text_[position_]))
            ++position_;
        return std::string(text_.substr(begin, position_ - begin));
    }

    std::string quoted(char quote) {
        const std::size_t begin = position_++;
        std::string content;
        // At once, so that no part of a password stays where it has grown.
        content.reserve(std::min(text_.find(quote, position_), text_.size()) - position_);
        while (position_ < text_.size()) {
            const char c = text_[position_++];
            if (c == quote) {
                if (position_ == text_.size() || text_[position_] != quote) return content;
                ++position_;  // doubled: one of them is meant
                content += quote;
            } else if (c == '\\' && quote != '`' && position_ < text_.size()) {
                content += unescaped(text_[position_++]);
            } else {
                line_ += c == '\n' ? 1 : 0;
                content += c;
            }
        }
        throw syntaxError(text_.substr(begin), line_);
    }

    static char unescaped(char c) {
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case '0':
                return '\0';
            default:
                return c;
        }
    }

    std::string_view text_;
    std::size_t position_ = 0;
    int line_ = 1;
};

std::string textOfValue(const mysql::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
    if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
    throw obError(Ob::InvalidArgument, "a parameter, whose value is NULL");
}

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
    Lexer lexer(text);
    std::vector<Token> tokens;
    do {
        tokens.push_back(lexer.next());
    } while (tokens.back().kind != TokenKind::End);
    return tokens;
}

std::vector<Token> firstStatement(std::string_view text) {
    Lexer lexer(text);
    std::vector<Token> tokens;
    do {
        tokens.push_back(lexer.next());
    } while (tokens.back().kind != TokenKind::End &&
             !(tokens.back().kind == TokenKind::Symbol && tokens.back().text == ";"));
    return tokens;
}

std::vector<std::string> firstWords(std::string_view text, std::size_t count) {
    Lexer lexer(text);
    std::vector<std::string> words;
    try {
        while (words.size() < count) {
            const Token token = lexer.next();
            if (token.kind != TokenKind::Word) break;
            words.push_back(upper(token.text));
        }
    } catch (const Error&) {
        // an unfinished comment or string: the words before it are all there is
    }
    return words;
}

TokenStream::TokenStream(std::vector<Token> tokens, const std::vector<mysql::Value>& parameters)
    : tokens_(std::move(tokens)) {
    std::size_t used = 0;
    for (Token& token : tokens_) {
        if (token.kind != TokenKind::Parameter || used == parameters.size()) continue;
        token.kind = TokenKind::String;
        token.text = textOfValue(parameters[used++]);
    }
}

const Token& TokenStream::peek(std::size_t ahead) const {
    return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
}

Token TokenStream::next() {
    Token token = peek();
    if (position_ + 1 < tokens_.size()) ++position_;
    return token;
}

bool TokenStream::isWord(std::string_view keyword, std::size_t ahead) const {
    return peek(ahead).kind == TokenKind::Word && upper(peek(ahead).text) == keyword;
}

bool TokenStream::acceptWord(std::string_view keyword) {
    return acceptWords({keyword});
}

bool TokenStream::acceptWords(std::initializer_list<std::string_view> keywords) {
    std::size_t ahead = 0;
    for (const auto keyword : keywords) {
        if (!isWord(keyword, ahead++)) return false;
    }
    for (std::size_t i = 0; i < keywords.size(); ++i)
        next();
    return true;
}

void TokenStream::expectWord(std::string_view keyword) {
    if (!acceptWord(keyword)) fail();
}

bool TokenStream::acceptSymbol(char symbol) {
    if (peek().kind != TokenKind::Symbol || peek().text[0] != symbol) return false;
    next();
    return true;
}

void TokenStream::expectSymbol(char symbol) {
    if (!acceptSymbol(symbol)) fail();
}

std::string TokenStream::name() {
    const TokenKind kind = peek().kind;
    if (kind != TokenKind::Word && kind != TokenKind::Name && kind != TokenKind::String) fail();
    return next().text;
}

std::string TokenStream::value() {
    const TokenKind kind = peek().kind;
    if (kind != TokenKind::Word && kind != TokenKind::String && kind != TokenKind::Number) fail();
    return next().text;
}

Secret TokenStream::secret() {
    if (peek().kind != TokenKind::String) fail();
    Secret secret = Secret::copyOf(viewOf(peek().text));
    ++position_;  // behind a text there is the end at least
    return secret;
}

std::vector<std::string> TokenStream::names() {
    std::vector<std::string> list{name()};
    while (acceptSymbol(','))
        list.push_back(name());
    return list;
}

std::string TokenStream::key() {
    if (peek().kind != TokenKind::Word && peek().kind != TokenKind::Name) fail();
    return lowerCase(next().text);
}

bool TokenStream::isKey(std::string_view name) const {
    const bool may_be = peek().kind == TokenKind::Word || peek().kind == TokenKind::Name;
    return may_be && upper(peek().text) == upper(name);
}

bool TokenStream::startsAssignment() const {
    const bool named = peek().kind == TokenKind::Word || peek().kind == TokenKind::Name;
    return named && (isWord("TO", 1) || (peek(1).kind == TokenKind::Symbol && peek(1).text == "="));
}

void TokenStream::expectEnd() {
    acceptSymbol(';');
    if (!atEnd()) fail();
}

void TokenStream::fail() const {
    throw syntaxError(peek().rest, peek().line);
}

}  // namespace tidemark::statement
