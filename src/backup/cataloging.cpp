#include "backup/cataloging.h"

#include <fmt/format.h>

#include <set>

#include "archive/archive_reader.h"
#include "backup/finished_set.h"
#include "backup_set/kept_key.h"
#include "oceanbase/ob_error.h"

namespace tidemark::backup {
namespace {

constexpr const char* kSet = "BACKUP SET";
constexpr const char* kRound = "ROUND";
constexpr const char* kPiece = "BACKUP PIECE";
constexpr const char* kObject = "OBJECT";
constexpr const char* kWasOpen =
    "it had no end when it was cataloged: if the tenant is in ARCHIVELOG, say NOARCHIVELOG and ARCHIVELOG";

Error corrupt(const std::string& what) {
    return {ErrorCode::Corrupt, what};
}

/// Of a round that is over: none of its pieces is being written.
catalog::ArchivePiece pieceOf(const catalog::ArchiveRound& round, const archive::PieceState& state) {
    const Scn checkpoint = std::max(state.checkpoint_scn, state.start_scn);
    return {.tenant = round.tenant,
            .dest_id = round.dest_id,
            .round_id = round.round_id,
            .piece_id = static_cast<std::int64_t>(state.key.piece),
            .status = catalog::PieceStatus::Frozen,
            .start_scn = state.start_scn,
            .checkpoint_scn = checkpoint,
            .max_scn = state.max_scn,
            .end_scn = state.frozen ? state.end_scn : checkpoint,
            .input_bytes = state.input_bytes,
            .output_bytes = state.output_bytes,
            .path = round.path,
            .create_time = static_cast<Nanos>(state.start_scn)};  // the catalog alone knew it better
}

}  // namespace

Cataloging::Cataloging(const BackupJobParts& parts, const catalog::Tenant& tenant, KeyOf key_of)
    : parts_(parts), tenant_(tenant), key_of_(std::move(key_of)) {}

std::vector<CatalogRow> Cataloging::run(const std::string& uri) {
    rows_.clear();
    const storage::Destination destination = storage::readDestination(uri);
    const storage::DestinationIdentity own = parts_.identity(tenant_, 0);
    const storage::DestinationIdentity& owner = destination.marker.identity;
    if (owner.cluster_name != own.cluster_name || owner.cluster_id != own.cluster_id ||
        owner.tenant_id != own.tenant_id) {
        throw obError(Ob::FormatFileNotMatch,
                      fmt::format(", {} belongs to tenant '{}' ({}) of cluster '{}' ({})", destination.uri,
                                  owner.tenant_name, owner.tenant_id, owner.cluster_name, owner.cluster_id),
                      "a set of another tenant or cluster can be restored from its destination: RESTORE t FROM 'uri'");
    }
    path_ = destination.uri;
    if (destination.marker.kind == storage::DestinationKind::Data) {
        enterSets(*destination.storage);
    } else {
        enterRounds(*destination.storage);
    }
    // An unmounted file system has nothing that could be entered.
    storage::requireMounted(*destination.storage);
    return rows_;
}

void Cataloging::add(const char* object, std::int64_t id, const char* result, const std::string& comment) {
    rows_.push_back({.object = object, .id = id, .result = result, .path = path_, .comment = comment});
}

template <typename Work>
void Cataloging::orSkip(const char* object, std::int64_t id, Work work) {
    try {
        work();
    } catch (const Error& error) {
        const bool damaged = error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::Conflict ||
                             error.code() == ErrorCode::NotFound || error.code() == ErrorCode::InvalidRequest;
        const bool lacks_parent = is(error, Ob::OpNotAllow);
        if (!damaged && !lacks_parent) throw;
        add(object, id, "SKIPPED", error.what());
    }
}

void Cataloging::enterSets(storage::Storage& storage) {
    for (const backup_set::FoundBackupSet& found : backup_set::listBackupSets(storage))
        orSkip(kSet, found.id.number, [&] { enterSet(storage, found); });
    for (const storage::Key& key : backup_set::foreignPlaceHolders(storage))
        add(kObject, 0, "SKIPPED", key + " is none of Tidemark's");
}

void Cataloging::enterSet(storage::Storage& storage, const backup_set::FoundBackupSet& found) {
    using State = backup_set::FoundBackupSet::State;
    const std::int64_t number = found.id.number;
    if (const auto known = parts_.stores.backups.set(tenant_.id, number)) {
        return add(kSet, number, "KNOWN",
                   known->path == path_ ? "" : "the catalog has one of this number at " + known->path);
    }
    if (found.state == State::Unfinished) throw corrupt("it is not complete: what a backup left that did not end");
    if (found.state == State::Damaged) throw corrupt(found.problem);
    const storage::DestinationIdentity own = parts_.identity(tenant_, 0);
    if (found.description->tenant_id != own.tenant_id || found.description->cluster_id != own.cluster_id)
        throw corrupt(fmt::format("it is of tenant {} of cluster {}", found.description->tenant_id,
                                  found.description->cluster_id));

    const bool encrypted = found.description->encrypted;
    const auto bag = encrypted ? backup_set::readKeyBag(storage, found.id) : backup_set::KeyBag{};
    const auto key = encrypted ? key_of_(storage, found.id) : nullptr;
    const bool sealed = encrypted && !key;
    const auto description = sealed ? *found.description : backup_set::readBackupSet(storage, found.id, key);
    sealed ? backup_set::verifyObjects(storage, description) : backup_set::verifyBackupSet(storage, description, key);
    for (const std::uint32_t parent : {description.prev_full_set, description.prev_incremental_set}) {
        if (parent != 0 && !parts_.stores.backups.set(tenant_.id, parent))
            throw corrupt(fmt::format("it leans on set {}, which is not there", parent));
    }
    catalog::BackupSet set = entryOf(tenant_.id, description);
    set.dest_id = parts_.stores.destinations.idOf(tenant_.id, catalog::DestinationUse::BackupData, path_);
    set.path = path_;
    if (encrypted)
        set.encryption = {.mode = backup_set::encryptionMode(bag.entries.at(0).method), .passwd = bag.entries.at(0).id};
    parts_.stores.backups.enter(set, description.turn, backup_set::wrappedKey(key, parts_.node_key));
    add(kSet, number, "CATALOGED",
        sealed
            ? "its password is not known: what its description hides is shown as 0, and no incremental set leans on it"
            : "");
}

void Cataloging::enterRounds(storage::Storage& storage) {
    std::set<archive::RoundKey> rounds;
    for (const storage::ObjectInfo& object : storage.list("rounds/")) {
        if (const auto marker = archive::parseRoundMarker(object.key)) {
            rounds.insert(marker->round);
        } else {
            add(kObject, 0, "SKIPPED", object.key + " is none of Tidemark's");
        }
    }
    for (const archive::RoundKey& round : rounds)
        orSkip(kRound, static_cast<std::int64_t>(round.round), [&] { enterRound(storage, round.dest, round.round); });
}

/// A round that the catalog does not know is over: nobody writes it.
void Cataloging::enterRound(storage::Storage& storage, std::uint64_t dest, std::uint64_t number) {
    const archive::ArchiveReader reader(storage, {dest, number});
    const archive::RoundInfo& info = reader.round({dest, number});
    constexpr Nanos kDay = 24 * 3600 * kSecond;
    catalog::ArchiveRound round{.tenant = tenant_.id,
                                .dest_id = static_cast<std::int64_t>(dest),
                                .round_id = static_cast<std::int64_t>(number),
                                .status = catalog::RoundStatus::Stop,
                                .start_scn = info.start.scn,
                                .checkpoint_scn = info.checkpoint_scn,
                                .base_piece_id = static_cast<std::int64_t>(info.start.base_piece_id),
                                .used_piece_id = static_cast<std::int64_t>(info.start.base_piece_id),
                                .piece_switch_days = info.start.piece_interval / kDay,
                                .comment = info.end ? "" : kWasOpen,
                                .path = path_};
    if (info.start.tenant_id != static_cast<std::uint64_t>(tenant_.id))
        throw corrupt(fmt::format("it is of tenant {}", info.start.tenant_id));
    std::vector<catalog::ArchivePiece> pieces;
    for (const archive::PieceState& state : info.pieces) {
        pieces.push_back(pieceOf(round, state));
        round.used_piece_id = pieces.back().piece_id;
        round.input_bytes += state.input_bytes;
        round.output_bytes += state.output_bytes;
    }
    const catalog::EnteredRound entered = parts_.stores.archive.enter(round, pieces);
    add(kRound, round.round_id, entered.round ? "CATALOGED" : "KNOWN", entered.round ? round.comment : "");
    const std::set<std::int64_t> is_new(entered.pieces.begin(), entered.pieces.end());
    for (const catalog::ArchivePiece& piece : pieces)
        add(kPiece, piece.piece_id, is_new.contains(piece.piece_id) ? "CATALOGED" : "KNOWN");
}

}  // namespace tidemark::backup
