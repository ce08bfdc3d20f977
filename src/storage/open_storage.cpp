#include "storage/open_storage.h"

#include <algorithm>
#include <filesystem>

#include "oceanbase/ob_error.h"
#include "storage/file_storage.h"

namespace tidemark::storage {
namespace {

constexpr std::string_view kFile = "file://";
// What fits into the views' columns, together with what is below a destination.
constexpr std::size_t kLongestPath = 1000;

/// The directory of a file:// URI. Throws for anything else.
std::filesystem::path directoryOfUri(const std::string& uri) {
    if (uri.find("encrypt_key=") != std::string::npos) {
        throw obError(Ob::InvalidBackupDest, "backup destination contains encrypt_key, which",
                      "leave it out; a file:// destination has no options");
    }
    for (const char* later : {"s3://", "oss://", "cos://"}) {
        if (uri.starts_with(later)) {
            throw obError(Ob::NotSupported, std::string(later) + " as a destination is",
                          "use file:///directory, which may be a network file system");
        }
    }
    const auto invalid = [&](const std::string& hint) { return obError(Ob::InvalidBackupDest, uri, hint); };
    if (!uri.starts_with(kFile)) throw invalid("write it as file:///directory");
    const std::string path = uri.substr(kFile.size());
    if (path.size() > kLongestPath) throw invalid("the directory's name is too long");
    if (!path.starts_with('/')) throw invalid("the directory must be absolute: file:///directory");
    // OceanBase begins options of object stores with '?'; it allows none in a path.
    if (path.find_first_of("?*\"'\n,") != std::string::npos || path.find('\0') != std::string::npos) {
        throw invalid("the directory must not contain ? * , quotes or line ends");
    }
    std::filesystem::path clean;
    for (const auto& part : std::filesystem::path(path)) {
        if (part == "..") throw invalid("the directory must not contain ..");
        if (!part.empty() && part != ".") clean /= part;
    }
    return clean;
}

}  // namespace

std::unique_ptr<Storage> openStorage(const std::string& uri) {
    return std::make_unique<FileStorage>(directoryOfUri(uri));
}

std::string plainUri(const std::string& uri) {
    return std::string(kFile) + directoryOfUri(uri).string();
}

}  // namespace tidemark::storage
