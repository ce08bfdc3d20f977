#include "archive/archive_dest.h"

#include <algorithm>
#include <map>
#include <regex>

#include "base/letters.h"
#include "catalog/parameter.h"
#include "oceanbase/ob_error.h"

namespace tidemark::archive {
namespace {

catalog::Binding parseBinding(const std::string& value) {
    if (lowerCase(value) == "optional") return catalog::Binding::Optional;
    if (lowerCase(value) == "mandatory") {
        throw obError(Ob::NotSupported, "BINDING=Mandatory is",
                      "use BINDING=Optional: archiving never slows the tenant");
    }
    throw obError(Ob::InvalidArgument, "binding");
}

std::int64_t parseSwitchInterval(const std::string& value) {
    constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000;
    const auto time = catalog::parseTime(value).count();
    if (time < kDay || time > 7 * kDay || time % kDay != 0) {
        throw obError(Ob::NotSupported, "invalid piece_switch_interval out of range [1d,7d] is");
    }
    return time / kDay;
}

Error malformed(const std::string& hint) {
    return obError(Ob::InvalidArgument, "log_archive_dest",
                   hint + "; write it as LOCATION=file:///path BINDING=Optional");
}

/// Key in lower case and value. A value goes on to the next key or the end: a directory's name may have blanks.
std::map<std::string, std::string> itemsOf(const std::string& value) {
    static const std::regex key("(^|\\s+)(\\w+)=");
    std::map<std::string, std::string> items;
    const std::string text = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
    const std::sregex_iterator end;
    for (std::sregex_iterator at(text.begin(), text.end(), key); at != end;) {
        const std::string name = lowerCase((*at)[2]);
        const auto begin = at->position() + at->length();
        if (items.empty() && at->position() != 0) throw malformed("it begins with no KEY=");
        ++at;
        const auto next = at == end ? static_cast<std::ptrdiff_t>(text.size()) : at->position();
        const std::string given = text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(next - begin));
        if (given.empty() || std::isspace(static_cast<unsigned char>(given[0])) != 0)
            throw malformed(name + " has no value");
        if (!items.emplace(name, given).second) {
            throw obError(Ob::InvalidArgument, "log_archive_dest, whose " + name + " is given twice");
        }
    }
    if (items.empty()) throw malformed("it has no KEY=");
    return items;
}

std::string checkedLocation(const std::string& location) {
    // One mistyped item would otherwise become a part of the name, and a directory of that name be made.
    static const std::regex stray("\\s=");
    if (std::regex_search(location, stray)) throw malformed("there is a blank before a =");
    return location;
}

}  // namespace

ArchiveDest parseArchiveDest(const std::string& value) {
    constexpr std::size_t kLongest = 4000;  // std::regex recurses; a directory may have 1000 bytes
    if (value.size() > kLongest) throw malformed("it is too long");
    ArchiveDest dest;
    for (const auto& [key, text] : itemsOf(value)) {
        if (key == "location") {
            dest.location = checkedLocation(text);
        } else if (key == "binding") {
            dest.binding = parseBinding(text);
        } else if (key == "piece_switch_interval") {
            dest.piece_switch_days = parseSwitchInterval(text);
        } else {
            throw obError(Ob::NotSupported, "log_archive_dest option " + key + " is",
                          "the name of a directory cannot have a blank and then " + key + "= here");
        }
    }
    if (dest.location.empty()) throw obError(Ob::NotSupported, "set archive dest without location is");
    return dest;
}

}  // namespace tidemark::archive
