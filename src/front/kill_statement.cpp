#include "front/kill_statement.h"

#include <strings.h>

#include <charconv>

namespace tidemark::front {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f\v";

/// Steps through a statement word by word; comments count as space.
class Words {
public:
    explicit Words(std::string_view text) : text_(text) {}

    std::size_t position() const { return position_; }

    /// Letters, or digits, in a row; empty at anything else.
    std::string_view next() {
        skipSpace();
        const std::size_t begin = position_;
        while (position_ < text_.size() && isalnum(static_cast<unsigned char>(text_[position_])) != 0)
            ++position_;
        return text_.substr(begin, position_ - begin);
    }

    bool onlyEndFollows() {
        skipSpace();
        if (position_ < text_.size() && text_[position_] == ';') ++position_;
        skipSpace();
        return position_ == text_.size();
    }

private:
    void skipSpace() {
        while (position_ < text_.size()) {
            const std::string_view rest = text_.substr(position_);
            std::size_t end = 0;
            if (rest.starts_with("/*") && !rest.starts_with("/*!") && !rest.starts_with("/*M!")) {
                end = rest.find("*/", 2);
                end = end == std::string_view::npos ? end : end + 2;
            } else if (rest.starts_with("-- ") || rest.starts_with("#")) {
                end = rest.find('\n');
            } else {
                end = rest.find_first_not_of(kSpace);
                if (end == 0) return;
            }
            position_ = end == std::string_view::npos ? text_.size() : position_ + end;
        }
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

bool isWord(std::string_view word, std::string_view wanted) {
    return word.size() == wanted.size() && strncasecmp(word.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace

std::optional<KillTarget> findKillTarget(std::string_view text) {
    Words words(text);
    if (!isWord(words.next(), "KILL")) return std::nullopt;
    std::string_view word = words.next();
    if (isWord(word, "HARD") || isWord(word, "SOFT")) word = words.next();
    if (isWord(word, "CONNECTION") || isWord(word, "QUERY")) word = words.next();
    KillTarget target{.offset = words.position() - word.size(), .size = word.size()};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), target.connection_id);
    if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    if (!words.onlyEndFollows()) return std::nullopt;
    return target;
}

}  // namespace tidemark::front
