#include "storage/destination.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/crash_point.h"
#include "base/file.h"
#include "oceanbase/ob_error.h"
#include "storage/document.h"
#include "storage/open_storage.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;

constexpr DocumentType kMarkerDocument{"tidemark destination", 1};

const char* typeName(DestinationKind kind) {
    return kind == DestinationKind::Data ? "backup_data" : "archive_log";
}

Bytes encode(const DestinationMarker& marker) {
    return sealDocument(kMarkerDocument, {{"cluster_name", marker.identity.cluster_name},
                                          {"cluster_id", marker.identity.cluster_id},
                                          {"tenant_name", marker.identity.tenant_name},
                                          {"tenant_id", marker.identity.tenant_id},
                                          {"path", marker.path},
                                          {"incarnation", marker.incarnation},
                                          {"dest_id", marker.identity.dest_id},
                                          {"dest_type", typeName(marker.kind)}});
}

DestinationMarker readMarker(Storage& storage) {
    const nlohmann::json content = openDocument(kMarkerDocument, storage, kMarkerKey).content;
    return readFields(storage.url() + "/" + kMarkerKey, [&] {
        DestinationMarker marker;
        takeField(content, "cluster_name", marker.identity.cluster_name);
        takeField(content, "cluster_id", marker.identity.cluster_id);
        takeField(content, "tenant_name", marker.identity.tenant_name);
        takeField(content, "tenant_id", marker.identity.tenant_id);
        takeField(content, "path", marker.path);
        takeField(content, "incarnation", marker.incarnation);
        takeField(content, "dest_id", marker.identity.dest_id);
        const auto type = takeField<std::string>(content, "dest_type");
        marker.kind = type == typeName(DestinationKind::Data) ? DestinationKind::Data : DestinationKind::Archive;
        if (type != typeName(marker.kind)) {
            throw Error(ErrorCode::Corrupt, storage.url() + "/" + kMarkerKey + " names an unknown kind '" + type + "'");
        }
        return marker;
    });
}

/// What a failure of the storage means to who named the destination.
[[noreturn]] void rethrowForDestination(const Error& error) {
    if (error.sql()) throw error;
    const std::string& hint = error.hint();
    switch (error.code()) {
        case ErrorCode::NotFound:
        case ErrorCode::Unavailable:
            throw obError(Ob::BackupDestNotConnect, error.what(),
                          hint.empty() ? "check that the directory exists and that its file system is mounted" : hint);
        case ErrorCode::Denied:
            throw obError(Ob::BackupPermissionDenied, error.what(),
                          "the daemon's operating system user must be able to write there");
        case ErrorCode::NoSpace:
            throw obError(Ob::DeviceOutOfSpace, error.what(), "make room and try again");
        default:
            throw error;
    }
}

template <typename Work>
auto asDestination(Work work) {
    try {
        return work();
    } catch (const Error& error) {
        rethrowForDestination(error);
    }
}

fs::path pathOf(const std::string& plain_uri) {
    return plain_uri.substr(std::string("file://").size());
}

/// A destination holds the objects of one kind and nothing else.
void refuseNesting(const fs::path& path) {
    std::error_code unknown;  // what cannot be looked at is met again when the directory is made
    const fs::path real = fs::weakly_canonical(path, unknown);
    if (real.empty()) return;
    for (fs::path above = real.parent_path(); above != above.root_path(); above = above.parent_path()) {
        if (!fs::exists(above / kMarkerKey, unknown)) continue;
        throw obError(Ob::FormatFileNotMatch,
                      ", " + path.string() + " lies inside of the destination " + above.string(),
                      "use another directory, one per tenant and kind");
    }
}

/// Only the last component is made: a missing parent is more likely a file system that is not mounted.
void makeDirectory(const std::string& uri) {
    const fs::path path = pathOf(uri);
    refuseNesting(path);
    if (::mkdir(path.c_str(), 0700) == 0) return syncDirectory(path.parent_path());
    if (errno == ENOENT) {
        throw Error(ErrorCode::Unavailable, "there is no directory " + path.parent_path().string(),
                    "make it, or mount the file system that it should lie on: only the last component is made");
    }
    if (errno != EEXIST) throwErrno(errno, "making directory " + path.string());
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
        throw Error(ErrorCode::Unavailable, path.string() + " is a file, not a directory",
                    "name a directory that is empty or does not exist yet");
    }
}

void verify(const DestinationMarker& marker, const DestinationIdentity& wanted, DestinationKind kind,
            const std::string& url) {
    const DestinationIdentity& found = marker.identity;
    const auto refuse = [&](const std::string& what) {
        throw obError(Ob::FormatFileNotMatch, ", " + url + " " + what,
                      "use another directory, one per tenant and kind");
    };
    if (found.cluster_name != wanted.cluster_name || found.cluster_id != wanted.cluster_id) {
        refuse("belongs to cluster '" + found.cluster_name + "' (" + std::to_string(found.cluster_id) + ")");
    }
    if (found.tenant_id != wanted.tenant_id) {
        refuse("belongs to tenant '" + found.tenant_name + "' (" + std::to_string(found.tenant_id) + ")");
    }
    if (marker.kind != kind) refuse(std::string("is for '") + typeName(marker.kind) + "'");
}

/// Writes an object, as every later job will. It stays: a destination may forbid removing.
void probe(Storage& storage, std::uint64_t tenant_id, const Clock& clock) {
    const Key directory = "check_file/";
    storage.removeUnfinished(directory);
    const Key key = directory + std::to_string(tenant_id) + "_connect_file_" + formatCompact(clock.now()) + ".obbak";
    try {
        storage.put(key, viewOf("connected\n"));
    } catch (const Error& error) {
        // Another session has probed for the same tenant in this second: the place is as writable for us.
        if (error.code() != ErrorCode::AlreadyExists) throw;
    }
    crashPoint("destination.probe-written");
}

/// What the file system says without being written to. The first object of who is about to write finds out the rest.
void requireWritable(const std::string& uri) {
    const fs::path path = pathOf(uri);
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        throwErrno(errno, "writing to " + path.string());
}

Error noMarker(const Storage& storage, const std::string& why, const std::string& hint) {
    return obError(Ob::FormatFileNotExist, ", " + storage.url() + " " + why, hint);
}

/// Returns whether the marker is new.
bool createMarkerIfEmpty(Storage& storage, const DestinationMarker& marker) {
    if (storage.stat(kMarkerKey)) return false;
    if (storage.any("")) throw noMarker(storage, "is not empty", "a destination must be empty, or this tenant's own");
    storage.removeUnfinished("");
    try {
        storage.put(kMarkerKey, encode(marker));
        return true;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::AlreadyExists) throw;
        return false;  // somebody else was faster; whoever it was is verified next
    }
}

Destination verified(std::shared_ptr<Storage> storage, const std::string& uri, const DestinationIdentity& identity,
                     DestinationKind kind) {
    const DestinationMarker marker = readMarker(*storage);
    verify(marker, identity, kind, storage->url());
    return {std::move(storage), marker, uri};
}

}  // namespace

bool liesIn(const std::string& uri, const fs::path& directory) {
    std::error_code unknown;
    const fs::path path = fs::weakly_canonical(pathOf(plainUri(uri)), unknown);
    const fs::path root = fs::canonical(directory, unknown);
    if (path.empty() || root.empty()) return false;
    return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

void requireOutside(const std::string& uri, const fs::path& directory) {
    std::error_code unknown;  // what cannot be resolved is met again when it is opened
    const fs::path path = fs::weakly_canonical(pathOf(plainUri(uri)), unknown);
    const fs::path own = fs::weakly_canonical(directory, unknown);
    if (std::mismatch(own.begin(), own.end(), path.begin(), path.end()).first != own.end()) return;
    throw obError(Ob::InvalidBackupDest, uri,
                  "it lies in the node's own directory " + directory.string() +
                      ", where DROP TENANT would remove it; use another");
}

Destination openDestination(const std::string& uri, const DestinationIdentity& identity, DestinationKind kind,
                            const Clock& clock) {
    const std::string plain = plainUri(uri);
    return asDestination([&] {
        makeDirectory(plain);
        crashPoint("destination.directory-made");
        std::shared_ptr<Storage> storage = openStorage(uri);
        const bool created = createMarkerIfEmpty(*storage, {identity, kind, plain});
        crashPoint("destination.marked");
        Destination destination = verified(std::move(storage), plain, identity, kind);
        probe(*destination.storage, identity.tenant_id, clock);
        destination.created = created;
        return destination;
    });
}

Destination requireDestination(const std::string& uri, const DestinationIdentity& identity, DestinationKind kind) {
    const std::string plain = plainUri(uri);
    return asDestination([&] {
        std::shared_ptr<Storage> storage = openStorage(uri);
        if (!storage->stat(kMarkerKey)) {
            throw noMarker(*storage, "has none", "check that its file system is mounted, or set the destination anew");
        }
        Destination destination = verified(std::move(storage), plain, identity, kind);
        requireWritable(plain);
        return destination;
    });
}

void requireMounted(Storage& destination) {
    if (destination.stat(kMarkerKey)) return;
    throw Error(ErrorCode::Unavailable, destination.url() + " has no " + kMarkerKey + " any more",
                "check that its file system is mounted");
}

void requireAnswer(Storage& destination) {
    requireMounted(destination);
    // The kernel remembers a server's answers to stat() for a while. Whoever opens a file asks the server.
    destination.get(kMarkerKey, 0, 1);
}

bool isAway(Storage& destination) {
    try {
        requireAnswer(destination);
        return false;
    } catch (const Error&) {
        return true;
    }
}

Destination readDestination(const std::string& uri) {
    const std::string plain = plainUri(uri);
    return asDestination([&]() -> Destination {
        std::shared_ptr<Storage> storage = openStorage(uri);
        if (!storage->stat(kMarkerKey))
            throw noMarker(*storage, "has none", "name the directory that holds format.obbak");
        const DestinationMarker marker = readMarker(*storage);
        return {std::move(storage), marker, plain};
    });
}

}  // namespace tidemark::storage
