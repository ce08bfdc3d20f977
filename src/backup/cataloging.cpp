#include "backup/cataloging.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "archive/archive_reader.h"

namespace tidemark::backup {
namespace {

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
    : parts_(parts), tenant_(tenant), own_(parts.identity(tenant, 0)), key_of_(std::move(key_of)) {}

std::vector<CatalogRow> Cataloging::run(const std::vector<std::string>& uris) {
    rows_.clear();
    places_.clear();
    for (const std::string& uri : uris)
        places_.push_back(openPlace(uri));
    sortPlaces();
    enterSets();
    for (const Place& place : places_) {
        if (place.destination.marker.kind == storage::DestinationKind::Archive) enterRounds(place);
    }
    // An unmounted file system has nothing that could be entered.
    for (const Place& place : places_)
        storage::requireMounted(place.storage());
    return std::move(rows_);
}

Cataloging::Place Cataloging::openPlace(const std::string& uri) const {
    Place place{.destination = storage::readDestination(uri), .sets = {}};
    const storage::DestinationIdentity& owner = place.destination.marker.identity;
    if (owner.cluster_name != own_.cluster_name || owner.cluster_id != own_.cluster_id ||
        owner.tenant_id != own_.tenant_id) {
        throw obError(Ob::FormatFileNotMatch,
                      fmt::format(", {} belongs to tenant '{}' ({}) of cluster '{}' ({})", place.path(),
                                  owner.tenant_name, owner.tenant_id, owner.cluster_name, owner.cluster_id),
                      "a set of another tenant or cluster can be restored from its destination: RESTORE t FROM 'uri'");
    }
    if (place.destination.marker.kind == storage::DestinationKind::Data)
        place.sets = backup_set::listBackupSets(place.storage());
    return place;
}

/// The first to be taken first, whatever the order in which they were named; each once.
void Cataloging::sortPlaces() {
    const auto data = parts_.stores.destinations.backup(tenant_.id);
    const auto log = parts_.stores.destinations.archive(tenant_.id);
    const auto rank = [&](const Place& place) {
        const bool present = (data && data->path == place.path()) || (log && log->path == place.path());
        const bool moved = place.destination.marker.path != place.path();
        return std::tuple(!present, moved, place.path());
    };
    std::ranges::sort(places_, {}, rank);
    const auto same = [](const Place& one, const Place& other) { return one.path() == other.path(); };
    places_.erase(std::unique(places_.begin(), places_.end(), same), places_.end());
}

void Cataloging::add(const Place& place, const char* object, std::int64_t id, const char* result,
                     const std::string& comment) {
    rows_.push_back({.object = object, .id = id, .result = result, .path = place.path(), .comment = comment});
}

void Cataloging::addForeign(const Place& place, const std::string& object) {
    add(place, kObject, 0, "SKIPPED", object + " is none of Tidemark's");
}

void Cataloging::enterRounds(const Place& place) {
    std::set<archive::RoundKey> rounds;
    for (const storage::ObjectInfo& object : place.storage().list("rounds/")) {
        if (const auto marker = archive::parseRoundMarker(object.key)) {
            rounds.insert(marker->round);
        } else {
            addForeign(place, object.key);
        }
    }
    for (const archive::RoundKey& round : rounds)
        orSkip(place, kRound, static_cast<std::int64_t>(round.round),
               [&] { enterRound(place, round.dest, round.round); });
}

/// A round that the catalog does not know is over: nobody writes it.
void Cataloging::enterRound(const Place& place, std::uint64_t dest, std::uint64_t number) {
    const archive::ArchiveReader reader(place.storage(), {dest, number});
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
                                .path = place.path()};
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
    add(place, kRound, round.round_id, entered.round ? "CATALOGED" : "KNOWN", entered.round ? round.comment : "");
    const std::set<std::int64_t> is_new(entered.pieces.begin(), entered.pieces.end());
    for (const catalog::ArchivePiece& piece : pieces)
        add(place, kPiece, piece.piece_id, is_new.contains(piece.piece_id) ? "CATALOGED" : "KNOWN");
}

}  // namespace tidemark::backup
