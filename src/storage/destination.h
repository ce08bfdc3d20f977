#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "storage/storage.h"

namespace tidemark::storage {

enum class DestinationKind { Data, Archive };

/// Whose a destination is.
struct DestinationIdentity {
    std::string cluster_name;
    std::uint64_t cluster_id = 0;
    std::string tenant_name;
    std::uint64_t tenant_id = 0;
    std::uint64_t dest_id = 0;  ///< given to the destination if it is new; one that is not keeps its own
};

/// What `format.obbak` in a destination says: see docs/format/destination.md.
struct DestinationMarker {
    DestinationIdentity identity;
    DestinationKind kind = DestinationKind::Data;
    std::string path;  ///< the URI it had when it was made
    std::uint64_t incarnation = 1;
};

constexpr const char* kMarkerKey = "format.obbak";

struct Destination {
    std::shared_ptr<Storage> storage;
    DestinationMarker marker;
    std::string uri;       ///< as recorded and shown, without secrets
    bool created = false;  ///< by this call
};

/// Whether what the URI names is `directory` or lies in it, all links followed. No, if that cannot be found out. Makes
/// nothing. Throws 9026 for what is no URI.
bool liesIn(const std::string& uri, const std::filesystem::path& directory);

/// Throws 9026 if a destination would lie in `directory`: the node's own, where DROP TENANT would remove it.
void requireOutside(const std::string& uri, const std::filesystem::path& directory);

/// For SET DATA_BACKUP_DEST and SET LOG_ARCHIVE_DEST: makes the directory if only that is missing and the marker if the
/// directory is empty, verifies the marker otherwise, and probes that writing works by an object that stays.
///
/// Errors: 9026 no valid URI · 9080 not empty, and no marker · 9081 another tenant's, cluster's or kind's · 9070 not
/// reachable · 9071 no permission or read-only · 9082 full.
///
/// The same tenant is one with the same cluster name, cluster id and tenant id; its name may have changed since.
Destination openDestination(const std::string& uri, const DestinationIdentity& identity, DestinationKind kind,
                            const Clock& clock);

/// For work that is about to write (a backup, a round): the same, but makes and writes nothing. An empty directory is
/// 9080: most likely a file system is not mounted, and writing would fill the disk below the mount point. 9071 also if
/// the file system says that nothing may be written.
Destination requireDestination(const std::string& uri, const DestinationIdentity& identity, DestinationKind kind);

/// For work that has just written, before it says so: an unmounted destination leaves an empty directory, into which
/// anything can be written, and which is gone from sight once it is mounted again. Throws Unavailable if the marker is
/// not there.
void requireMounted(Storage& destination);

/// For work that is about to take what others wait for: the same, and hangs if the server behind the file system does.
void requireAnswer(Storage& destination);
/// Whether that throws. To be asked after a failure: what is not mounted looks like missing objects.
bool isAway(Storage& destination);
/// The same for who may be told to stop: throws Cancelled then, and leaves behind the thread that hangs. That ends with
/// the answer, and uses nothing but the destination.
void requireAnswer(const std::shared_ptr<Storage>& destination, const std::stop_token& stop);

/// For restores: reads the marker, whoever's it is; writes nothing. 9080 if there is none, 9070, 9071 as above.
Destination readDestination(const std::string& uri);

}  // namespace tidemark::storage
