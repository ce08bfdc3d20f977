#include "restore/restore_options.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/letters.h"
#include "oceanbase/ob_error.h"
#include "storage/open_storage.h"

namespace tidemark::restore {
namespace {

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

void addOnce(std::vector<std::string>& list, const std::string& item) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

unsigned parseConcurrency(const std::string& text) {
    unsigned value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || value > 100) {
        throw obError(Ob::InvalidArgument, "restore concurrency", "0 to 100");
    }
    return value;
}

bool isQuick(const std::string& method) {
    const std::string word = lowerCase(method);
    if (word != "full" && word != "quick") throw obError(Ob::InvalidArgument, "restore method", "full or quick");
    return word == "quick";
}

}  // namespace

std::vector<std::string> splitList(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) {
        part = trimmed(part);
        if (!part.empty()) addOnce(parts, part);
    }
    return parts;
}

std::vector<std::string> destinationsOf(const std::string& from) {
    std::vector<std::string> uris;
    for (const std::string& uri : splitList(from))
        addOnce(uris, storage::plainUri(uri));
    if (uris.empty()) throw obError(Ob::InvalidBackupDest, from, "FROM 'data uri,archive uri'");
    return uris;
}

RestoreOptions parseRestoreOptions(const std::string& text) {
    RestoreOptions options;
    std::istringstream in(text);
    for (std::string item; std::getline(in, item, '&');) {
        const auto equals = item.find('=');
        if (equals == std::string::npos) {
            if (trimmed(item).empty()) continue;
            throw obError(Ob::InvalidArgument, "restore option", "write it as pool_list=p1&primary_zone=z1");
        }
        const std::string key = lowerCase(trimmed(item.substr(0, equals)));
        const std::string value = trimmed(item.substr(equals + 1));
        if (key == "pool_list") options.pools = splitList(value);
        if (key == "primary_zone") options.primary_zone = value;
        if (key == "locality") options.locality = value;
        if (key == "concurrency") options.concurrency = parseConcurrency(value);
        if (key == "method") options.quick = isQuick(value);
        if (key == "kms_encrypt" && lowerCase(value) != "false") throw obError(Ob::NotSupported, "kms_encrypt is");
    }
    if (options.pools.empty()) throw obError(Ob::MissArgument, "pool_list", "WITH 'pool_list=p1'");
    return options;
}

}  // namespace tidemark::restore
