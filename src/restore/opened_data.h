#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "backup_set/mount_files.h"
#include "backup_set/open_order.h"
#include "base/log.h"
#include "base/mount_point.h"
#include "base/node_key.h"
#include "tenant/data_ground.h"

namespace tidemark::restore {

/// Data directories that stand on a backup set at its destination until all of it is local: what the daemon does for
/// them. docs/decisions/instant_restore.md.
///
///     <tenant>/data     where tidemark-mount shows the set; in the end a plain directory
///     <tenant>/opened   what is local (opened/opened_set.h); its data/ becomes <tenant>/data
///     <tenant>/mount    backup_set::MountFiles
///
/// It knows nothing that is not in these. Thread-safe, as far as callers keep apart what changes the same tenant.
class OpenedData {
public:
    /// The key wraps those of encrypted sets; outlives this.
    explicit OpenedData(const NodeKey& node_key) : node_key_(node_key), log_(makeLogger("opened")) {}

    struct Source {
        std::string data_uri;
        backup_set::SetId set;
        backup_set::ChainKeyPtr key;
    };
    /// Shows the files of the set as the tenant's data directory, which is empty. Returns why, if nothing can be
    /// mounted here: then nothing has been changed. Throws Corrupt or NotFound, naming the object; Unavailable;
    /// Cancelled.
    std::optional<std::string> open(const tenant::TenantPaths& paths, const Source& source,
                                    const std::stop_token& stop);

    /// For tenant::ReplicaOptions.
    tenant::DataGround ground();

    /// Whether it stands on a set.
    static bool isOpened(const tenant::TenantPaths& paths);
    /// From now on what is missing is fetched, so many bytes per second; 0: no limit. May be repeated.
    static void hydrate(const tenant::TenantPaths& paths, std::uint64_t bytes_per_second);

    struct State {
        MountState mount = MountState::None;
        bool complete = false;  ///< all is local and durable: the next start of the server moves to plain files
        backup_set::MountProgress progress;
    };
    static State look(const tenant::TenantPaths& paths);

private:
    void lay(const tenant::TenantPaths& paths) const;
    void clear(const tenant::TenantPaths& paths) const;
    bool becomePlain(const tenant::TenantPaths& paths) const;
    std::string orderOf(const tenant::TenantPaths& paths) const;
    bool await(const tenant::TenantPaths& paths, std::chrono::milliseconds limit, const std::stop_token& stop) const;
    void startProgram(const tenant::TenantPaths& paths) const;

    const NodeKey& node_key_;
    const Logger log_;
};

}  // namespace tidemark::restore
