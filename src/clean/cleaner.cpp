#include "clean/cleaner.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/piece_removal.h"
#include "base/crash_point.h"
#include "base/json.h"
#include "base/require_going.h"

namespace tidemark::clean {
namespace {

bool isPiece(const Target& target) {
    return target.thing.object == catalog::DeletedObject::BackupPiece;
}

archive::PieceKey pieceOf(const Target& target) {
    return {.dest = static_cast<std::uint64_t>(target.dest_id),
            .round = static_cast<std::uint64_t>(target.round_id),
            .piece = static_cast<std::uint64_t>(target.thing.id)};
}

Extent extentOf(const std::vector<storage::ObjectInfo>& objects) {
    Extent extent;
    for (const storage::ObjectInfo& object : objects) {
        extent.bytes += object.size;
        ++extent.files;
    }
    return extent;
}

/// The tenant may be gone by now; that it is its destination is what the marker says.
std::shared_ptr<storage::Storage> openOwn(catalog::Stores& stores, catalog::TenantId tenant, const std::string& path) {
    const storage::Destination destination = storage::readDestination(path);
    const storage::DestinationIdentity& owner = destination.marker.identity;
    if (owner.cluster_id == static_cast<std::uint64_t>(stores.cluster.cluster().id) &&
        owner.tenant_id == static_cast<std::uint64_t>(tenant)) {
        return destination.storage;
    }
    throw Error(ErrorCode::Conflict,
                fmt::format("{} belongs to tenant {} of cluster {} by now", path,
                            owner.tenant_name, owner.cluster_name));
}

}  // namespace

std::string Target::text() const {
    return jsonText({{"path", path}, {"object", catalog::text(thing.object)}, {"id", thing.id}, {"dest", dest_id}, {"round", round_id}});
}

Target Target::from(const std::string& text) {
    const nlohmann::json json = parseJson(text);
    return {.path = json.at("path").get<std::string>(),
            .thing = {catalog::parseText<catalog::DeletedObject>(json.at("object").get<std::string>()),
                      json.at("id").get<std::int64_t>()},
            .dest_id = json.at("dest").get<std::int64_t>(),
            .round_id = json.at("round").get<std::int64_t>()};
}

Target Target::of(const catalog::DeleteTask& task) {
    return {.path = task.path, .thing = {task.object, task.id}, .dest_id = task.dest_id, .round_id = task.round_id};
}

Cleaner::Cleaner(catalog::Stores& stores, catalog::TenantId tenant, const Target& target)
    : target_(target), storage_(openOwn(stores, tenant, target.path)) {}

std::vector<storage::ObjectInfo> Cleaner::objects() {
    if (isPiece(target_)) return archive::objectsToRemove(*storage_, pieceOf(target_));
    return backup_set::objectsToRemove(*storage_, static_cast<std::uint32_t>(target_.thing.id));
}

Extent Cleaner::measure() {
    return extentOf(objects());
}

bool Cleaner::isOffered() {
    return isPiece(target_) ? archive::isThere(*storage_, pieceOf(target_)) : offered().has_value();
}

std::optional<backup_set::SetId> Cleaner::offered() {
    return backup_set::findComplete(*storage_, static_cast<std::uint32_t>(target_.thing.id));
}

void Cleaner::removeOtherTurns(const backup_set::SetId& complete) {
    backup_set::removeOtherTurns(*storage_, backup_set::readBackupSet(*storage_, complete));
}

void Cleaner::removeUnfinished() {
    backup_set::removeUnfinishedSet(*storage_, static_cast<std::uint32_t>(target_.thing.id));
}

void Cleaner::remove(std::stop_token stop, const std::function<void(const Extent& left)>& removed) {
    const auto objects = this->objects();
    Extent left = extentOf(objects);
    bool hidden = false;
    for (const storage::ObjectInfo& object : objects) {
        requireGoing(stop);
        storage_->remove(object.key);
        if (!hidden) crashPoint("clean.hidden");
        hidden = true;
        left.bytes -= object.size;
        --left.files;
        if (left.files == 1) crashPoint("clean.emptied");
        removed(left);
        crashPoint("clean.removing");
    }
    // A file system that went away meanwhile has nothing either.
    if (const auto rest = extentOf(this->objects()); rest.files != 0) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("{} objects came back while they were removed from {}", rest.files, storage_->url()),
                    "check its file system");
    }
    storage::requireMounted(*storage_);
}

std::chrono::milliseconds longerEachTime(int attempt) {
    constexpr std::chrono::milliseconds kFirst{1000};
    constexpr std::chrono::milliseconds kLongest{600'000};
    return std::min(kFirst * (1 << std::min(attempt - 1, 16)), kLongest);
}

}  // namespace tidemark::clean
