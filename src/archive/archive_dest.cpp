#include "archive/archive_dest.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "base/ob_error.h"
#include "catalog/parameter.h"

namespace tidemark::archive {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

catalog::Binding parseBinding(const std::string& value) {
    if (lower(value) == "optional") return catalog::Binding::Optional;
    if (lower(value) == "mandatory") {
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

}  // namespace

ArchiveDest parseArchiveDest(const std::string& value) {
    ArchiveDest dest;
    std::set<std::string> given;
    std::istringstream items(value);
    for (std::string item; items >> item;) {
        const auto equals = item.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == item.size()) {
            throw obError(Ob::InvalidArgument, "log_archive_dest",
                          "write it as LOCATION=file:///path BINDING=Optional");
        }
        const std::string key = lower(item.substr(0, equals));
        const std::string text = item.substr(equals + 1);
        if (!given.insert(key).second) {
            throw obError(Ob::InvalidArgument, "log_archive_dest, whose " + key + " is given twice");
        }
        if (key == "location") {
            dest.location = text;
        } else if (key == "binding") {
            dest.binding = parseBinding(text);
        } else if (key == "piece_switch_interval") {
            dest.piece_switch_days = parseSwitchInterval(text);
        } else {
            throw obError(Ob::NotSupported, "log_archive_dest option " + key + " is");
        }
    }
    if (dest.location.empty()) throw obError(Ob::NotSupported, "set archive dest without location is");
    return dest;
}

}  // namespace tidemark::archive
