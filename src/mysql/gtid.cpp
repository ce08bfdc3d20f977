#include "mysql/gtid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace tidemark::mysql {
namespace {

template <typename Number>
bool takeNumber(std::string_view& text, Number& into) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (failure != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool takeDash(std::string_view& text) {
    if (text.empty() || text.front() != '-') return false;
    text.remove_prefix(1);
    return true;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const auto first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

Gtid Gtid::parse(std::string_view text) {
    Gtid gtid;
    std::string_view rest = text;
    const bool valid = takeNumber(rest, gtid.domain) && takeDash(rest) && takeNumber(rest, gtid.server) &&
                       takeDash(rest) && takeNumber(rest, gtid.sequence) && rest.empty();
    if (!valid) throw Error(ErrorCode::InvalidRequest, fmt::format("'{}' is not a GTID", text.substr(0, 80)));
    return gtid;
}

std::string Gtid::text() const {
    return fmt::format("{}-{}-{}", domain, server, sequence);
}

GtidPosition GtidPosition::parse(std::string_view text) {
    GtidPosition position;
    std::string_view rest = trimmed(text);
    while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        position.set(Gtid::parse(trimmed(rest.substr(0, comma))));
        rest = comma == rest.size() ? std::string_view{} : rest.substr(comma + 1);
    }
    return position;
}

std::string GtidPosition::text() const {
    std::string text;
    for (const auto& [domain, gtid] : last_)
        text += (text.empty() ? "" : ",") + gtid.text();
    return text;
}

bool GtidPosition::contains(const Gtid& gtid) const {
    const auto found = last_.find(gtid.domain);
    return found != last_.end() && found->second.sequence >= gtid.sequence;
}

bool GtidPosition::contains(const GtidPosition& other) const {
    return std::all_of(other.last_.begin(), other.last_.end(),
                       [&](const auto& entry) { return contains(entry.second); });
}

}  // namespace tidemark::mysql
