#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "backup_set/backup_set.h"
#include "catalog/stores.h"
#include "storage/destination.h"

namespace tidemark::clean {

/// What is to be removed, and where: JSON in a record of work.
struct Target {
    std::string path;  ///< of the destination
    catalog::DeletedThing thing;
    // Of a piece.
    std::int64_t dest_id = 0;
    std::int64_t round_id = 0;

    std::string text() const;
    static Target from(const std::string& text);
    static Target of(const catalog::DeleteTask& task);
};

/// How much of something lies at its destination.
struct Extent {
    std::uint64_t bytes = 0;
    std::int64_t files = 0;
};

/// The only one that removes backups and log from destinations. Stateless but for where it works; one per job.
///
/// The first object that goes is the one that makes the whole visible, the last one the one that says that there is
/// something: what an end in between leaves is offered to nobody, and can be found.
class Cleaner {
public:
    /// Opens the destination. Throws Conflict if it is not this tenant's of this cluster by now, and what
    /// storage::readDestination() throws.
    Cleaner(catalog::Stores& stores, catalog::TenantId tenant, const Target& target);
    /// The destination is open, and the tenant's.
    Cleaner(std::shared_ptr<storage::Storage> destination, Target target)
        : target_(std::move(target)), storage_(std::move(destination)) {}

    Extent measure();
    /// Whether a restore would find it: the first object that is removed is there.
    bool isOffered();
    /// The set, if it is complete.
    std::optional<backup_set::SetId> offered();
    /// Removes all of it, and makes sure that nothing is left; `removed` is told what is still there, now and then.
    /// Going on with what was begun is the same. Throws Cancelled, and what the storage throws.
    void remove(std::stop_token stop, const std::function<void(const Extent& left)>& removed);

    // What a backup left that has ended: of a complete set the copies that it does not consist of, of another all.
    void removeOtherTurns(const backup_set::SetId& complete);
    void removeUnfinished();

    storage::Storage& storage() { return *storage_; }

private:
    std::vector<storage::ObjectInfo> objects();

    const Target target_;
    std::shared_ptr<storage::Storage> storage_;
};

/// The pause after an attempt, 1 for the first, for what is tried for ever: whatever it failed of, the destination may be
/// another one tomorrow; it is mounted again, writable, has its marker.
std::chrono::milliseconds longerEachTime(int attempt);

}  // namespace tidemark::clean
