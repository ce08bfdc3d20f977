#include "catalog/archive_store.h"

#include <fmt/format.h>

#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

constexpr Topic kProgress = Topic::Archive | Topic::Tenant;

ArchiveRound roundFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .dest_id = row.integer("dest_id"),
            .round_id = row.integer("round_id"),
            .status = parseText<RoundStatus>(row.text("status")),
            .start_scn = row.unsignedInteger("start_scn"),
            .checkpoint_scn = row.unsignedInteger("checkpoint_scn"),
            .base_piece_id = row.integer("base_piece_id"),
            .used_piece_id = row.integer("used_piece_id"),
            .piece_switch_days = row.integer("piece_switch_days"),
            .input_bytes = row.unsignedInteger("input_bytes"),
            .output_bytes = row.unsignedInteger("output_bytes"),
            .deleted_input_bytes = row.unsignedInteger("deleted_input_bytes"),
            .deleted_output_bytes = row.unsignedInteger("deleted_output_bytes"),
            .comment = row.text("comment"),
            .path = row.text("path")};
}

ArchiveRound roundWithCovered(const mysql::Row& row) {
    ArchiveRound round = roundFrom(row);
    round.covered_scn = row.unsignedInteger("covered_scn");
    return round;
}

constexpr const char* kRounds =
    "SELECT r.*, COALESCE(c.scn, 0) AS covered_scn FROM tidemark.archive_round r LEFT JOIN tidemark.archive_covered c "
    "ON c.tenant_id = r.tenant_id AND c.round_id = r.round_id ";
const std::string kLastRound = std::string(kRounds) + "WHERE r.tenant_id = ? ORDER BY r.round_id DESC LIMIT 1";
constexpr const char* kLastPiece =
    "SELECT * FROM tidemark.archive_piece WHERE tenant_id = ? ORDER BY piece_id DESC LIMIT 1";

Columns roundKey(TenantId tenant, std::int64_t round_id) {
    return {{"tenant_id", tenant}, {"round_id", round_id}};
}

void insertRound(mysql::SqlClient& client, const ArchiveRound& round) {
    insertRow(client, "archive_round",
              {{"tenant_id", round.tenant},
               {"round_id", round.round_id},
               {"dest_id", round.dest_id},
               {"status", text(round.status)},
               {"base_piece_id", round.base_piece_id},
               {"used_piece_id", round.used_piece_id},
               {"piece_switch_days", round.piece_switch_days},
               {"path", round.path}});
}

/// One that was found at a destination, with what is known of it there.
void insertEntered(mysql::SqlClient& client, const ArchiveRound& round) {
    insertRound(client, round);
    updateRows(client, "archive_round",
               {{"start_scn", round.start_scn},
                {"checkpoint_scn", round.checkpoint_scn},
                {"input_bytes", round.input_bytes},
                {"output_bytes", round.output_bytes},
                {"comment", fitting(round.comment, 4096)}},
               roundKey(round.tenant, round.round_id));
}

/// Rounds are numbered by the catalog: one that has lost some gives their numbers again.
void requireSame(const ArchiveRound& known, const ArchiveRound& found) {
    const bool begins_alike = known.start_scn == found.start_scn || known.start_scn == 0;
    if (known.dest_id == found.dest_id && known.path == found.path && begins_alike) return;
    throw Error(ErrorCode::Conflict, fmt::format("the catalog has a round {} at {}", known.round_id, known.path));
}

void setLogMode(mysql::SqlClient& client, TenantId tenant, LogMode mode, const Clock& clock) {
    updateRows(client, "tenant", {{"log_mode", text(mode)}, {"modify_time", sqlTime(clock.now())}},
               {{"tenant_id", tenant}});
}

void insertPiece(mysql::SqlClient& client, const ArchivePiece& piece) {
    insertRow(client, "archive_piece",
              {{"tenant_id", piece.tenant},
               {"piece_id", piece.piece_id},
               {"dest_id", piece.dest_id},
               {"round_id", piece.round_id},
               {"status", text(piece.status)},
               {"file_status", text(piece.file_status)},
               {"start_scn", piece.start_scn},
               {"checkpoint_scn", piece.checkpoint_scn},
               {"max_scn", piece.max_scn},
               {"end_scn", piece.end_scn},
               {"input_bytes", piece.input_bytes},
               {"output_bytes", piece.output_bytes},
               {"path", piece.path},
               {"create_time", sqlTime(piece.create_time)}});
}

}  // namespace

ArchivePiece archivePieceFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .dest_id = row.integer("dest_id"),
            .round_id = row.integer("round_id"),
            .piece_id = row.integer("piece_id"),
            .status = parseText<PieceStatus>(row.text("status")),
            .file_status = parseText<FileStatus>(row.text("file_status")),
            .start_scn = row.unsignedInteger("start_scn"),
            .checkpoint_scn = row.unsignedInteger("checkpoint_scn"),
            .max_scn = row.unsignedInteger("max_scn"),
            .end_scn = row.unsignedInteger("end_scn"),
            .input_bytes = row.unsignedInteger("input_bytes"),
            .output_bytes = row.unsignedInteger("output_bytes"),
            .path = row.text("path"),
            .create_time = timeOf(row, "create_time")};
}

ArchiveRound ArchiveStore::beginRound(const ArchiveDestination& destination) {
    const TenantId tenant = destination.tenant;
    return catalog_.write({{tenant, kProgress}}, [&](mysql::SqlClient& client) {
        ArchiveRound round{.tenant = tenant,
                           .dest_id = destination.dest_id,
                           .round_id = 1,
                           .base_piece_id = 1,
                           .used_piece_id = 1,
                           .piece_switch_days = destination.piece_switch_days,
                           .path = destination.path};
        if (const auto last =
                firstAs<ArchiveRound>(client.query(kLastRound + " FOR UPDATE", {tenant}), roundWithCovered)) {
            if (last->status != RoundStatus::Stop) {
                throw Error(ErrorCode::Conflict, fmt::format("archive round {} of tenant {} is {}, not STOP",
                                                             last->round_id, tenant, text(last->status)));
            }
            round.round_id = last->round_id + 1;
            round.base_piece_id = round.used_piece_id = last->used_piece_id + 1;
        }
        insertRound(client, round);
        setLogMode(client, tenant, LogMode::Archivelog, catalog_.clock());
        return round;
    });
}

void ArchiveStore::setRoundStatus(TenantId tenant, std::int64_t round_id, RoundStatus status,
                                  const std::string& comment) {
    catalog_.write({{tenant, Topic::Archive}}, [&](mysql::SqlClient& client) {
        updateRows(client, "archive_round", {{"status", text(status)}, {"comment", fitting(comment, 4096)}},
                   roundKey(tenant, round_id));
    });
}

void ArchiveStore::stopRound(TenantId tenant, std::int64_t round_id) {
    catalog_.write({{tenant, kProgress}}, [&](mysql::SqlClient& client) {
        setLogMode(client, tenant, LogMode::NoArchivelog, catalog_.clock());
        updateRows(client, "archive_round", {{"status", text(RoundStatus::Stopping)}}, roundKey(tenant, round_id));
    });
}

void ArchiveStore::endRound(TenantId tenant, std::int64_t round_id, const std::string& comment) {
    catalog_.write({{tenant, kProgress | Topic::Covered}}, [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.archive_piece SET status = ?, end_scn = checkpoint_scn "
            "WHERE tenant_id = ? AND round_id = ? AND status <> ?",
            {text(PieceStatus::Frozen), tenant, round_id, text(PieceStatus::Frozen)});
        updateRows(client, "archive_round", {{"status", text(RoundStatus::Stop)}, {"comment", fitting(comment, 4096)}},
                   roundKey(tenant, round_id));
        deleteRows(client, "archive_covered", {{"tenant_id", tenant}});
    });
}

EnteredRound ArchiveStore::enter(const ArchiveRound& round, const std::vector<ArchivePiece>& pieces) {
    return catalog_.write({{round.tenant, Topic::Archive}}, [&](mysql::SqlClient& client) {
        // The tenant's row is the lock, as for who begins a round.
        client.query("SELECT tenant_id FROM tidemark.tenant WHERE tenant_id = ? FOR UPDATE", {round.tenant});
        const auto known = firstAs<ArchiveRound>(
            client.query(std::string(kRounds) + "WHERE r.tenant_id = ? AND r.round_id = ?", {round.tenant, round.round_id}),
            roundWithCovered);
        if (known) requireSame(*known, round);
        EnteredRound entered{.round = !known, .pieces = {}};
        // The pieces of a round that goes on are those of who writes it.
        if (known && known->status != RoundStatus::Stop) return entered;
        for (const ArchivePiece& piece : pieces) {
            const auto of = client.scalar(
                "SELECT round_id FROM tidemark.archive_piece WHERE tenant_id = ? AND piece_id = ?",
                {round.tenant, piece.piece_id});
            if (!of) {
                entered.pieces.push_back(piece.piece_id);
                insertPiece(client, piece);
            } else if (*of != std::to_string(round.round_id)) {
                throw Error(ErrorCode::Conflict,
                            fmt::format("the catalog has piece {} in another round, {}", piece.piece_id, *of));
            }
        }
        if (!known) insertEntered(client, round);
        return entered;
    });
}

std::optional<ArchiveRound> ArchiveStore::lastRound(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<ArchiveRound>(client.query(kLastRound, {tenant}), roundWithCovered);
    });
}

std::vector<ArchiveRound> ArchiveStore::rounds(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<ArchiveRound>(
            client.query(std::string(kRounds) + "WHERE r.tenant_id = ? ORDER BY r.round_id", {tenant}),
            roundWithCovered);
    });
}

std::vector<ArchivePiece> ArchiveStore::pieces(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<ArchivePiece>(
            client.query("SELECT * FROM tidemark.archive_piece WHERE tenant_id = ? ORDER BY piece_id", {tenant}),
            archivePieceFrom);
    });
}

std::optional<ArchivePiece> ArchiveStore::lastPiece(TenantId tenant) {
    return catalog_.read(
        [&](mysql::SqlClient& client) { return firstAs<ArchivePiece>(client.query(kLastPiece, {tenant}), archivePieceFrom); });
}

std::vector<ArchiveRound> ArchiveStore::unfinishedRounds() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<ArchiveRound>(
            client.query(std::string(kRounds) + "WHERE r.status <> 'STOP' ORDER BY r.tenant_id, r.round_id"),
            roundWithCovered);
    });
}

}  // namespace tidemark::catalog
