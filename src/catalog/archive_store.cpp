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

ArchivePiece pieceFrom(const mysql::Row& row) {
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

constexpr const char* kLastRound =
    "SELECT * FROM tidemark.archive_round WHERE tenant_id = ? ORDER BY round_id DESC LIMIT 1";
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

void freeze(mysql::SqlClient& client, TenantId tenant, std::int64_t piece_id, Scn end_scn) {
    client.query(
        "UPDATE tidemark.archive_piece SET status = ?, end_scn = ?, checkpoint_scn = GREATEST(checkpoint_scn, ?) "
        "WHERE tenant_id = ? AND piece_id = ? AND status <> ?",
        {text(PieceStatus::Frozen), end_scn, end_scn, tenant, piece_id, text(PieceStatus::Frozen)});
}

}  // namespace

ArchiveRound ArchiveStore::beginRound(const ArchiveDestination& destination) {
    const TenantId tenant = destination.tenant;
    return catalog_.write({{tenant, Topic::Archive}}, [&](mysql::SqlClient& client) {
        ArchiveRound round{.tenant = tenant,
                           .dest_id = destination.dest_id,
                           .round_id = 1,
                           .base_piece_id = 1,
                           .used_piece_id = 1,
                           .piece_switch_days = destination.piece_switch_days,
                           .path = destination.path};
        if (const auto last =
                firstAs<ArchiveRound>(client.query(std::string(kLastRound) + " FOR UPDATE", {tenant}), roundFrom)) {
            if (last->status != RoundStatus::Stop) {
                throw Error(ErrorCode::Conflict, fmt::format("archive round {} of tenant {} is {}, not STOP",
                                                             last->round_id, tenant, text(last->status)));
            }
            round.round_id = last->round_id + 1;
            round.base_piece_id = round.used_piece_id = last->used_piece_id + 1;
        }
        insertRound(client, round);
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

void ArchiveStore::setRoundStart(TenantId tenant, std::int64_t round_id, Scn start_scn) {
    catalog_.write({{tenant, kProgress}}, [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.archive_round SET start_scn = ?, checkpoint_scn = GREATEST(checkpoint_scn, ?) "
            "WHERE tenant_id = ? AND round_id = ?",
            {start_scn, start_scn, tenant, round_id});
    });
}

void ArchiveStore::openPiece(TenantId tenant, std::int64_t round_id, std::int64_t piece_id, Scn start_scn,
                             Scn end_scn) {
    catalog_.write({{tenant, Topic::Archive}}, [&](mysql::SqlClient& client) {
        const mysql::Result found = client.query(
            "SELECT * FROM tidemark.archive_round WHERE tenant_id = ? AND round_id = ? FOR UPDATE", {tenant, round_id});
        if (found.empty()) {
            throw Error(ErrorCode::NotFound, fmt::format("tenant {} has no archive round {}", tenant, round_id));
        }
        const ArchiveRound round = roundFrom(found.rows[0]);
        const auto last = firstAs<ArchivePiece>(client.query(kLastPiece, {tenant}), pieceFrom);
        if (last && last->piece_id >= piece_id) return;
        if (last && last->round_id == round_id) freeze(client, tenant, last->piece_id, start_scn);
        insertRow(client, "archive_piece",
                  {{"tenant_id", tenant},
                   {"piece_id", piece_id},
                   {"dest_id", round.dest_id},
                   {"round_id", round_id},
                   {"status", text(PieceStatus::Active)},
                   {"file_status", text(FileStatus::Available)},
                   {"start_scn", start_scn},
                   {"checkpoint_scn", start_scn},
                   {"end_scn", end_scn},
                   {"path", round.path},
                   {"create_time", sqlTime(catalog_.clock().now())}});
        updateRows(client, "archive_round", {{"used_piece_id", piece_id}}, roundKey(tenant, round_id));
    });
}

void ArchiveStore::freezePiece(TenantId tenant, std::int64_t piece_id, Scn end_scn) {
    catalog_.write({{tenant, Topic::Archive}},
                   [&](mysql::SqlClient& client) { freeze(client, tenant, piece_id, end_scn); });
}

void ArchiveStore::progress(TenantId tenant, std::int64_t piece_id, const PieceProgress& progress) {
    catalog_.write({{tenant, Topic::ArchiveProgress}}, [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.archive_piece SET checkpoint_scn = GREATEST(checkpoint_scn, ?), "
            "max_scn = GREATEST(max_scn, ?), input_bytes = ?, output_bytes = ? WHERE tenant_id = ? AND piece_id = ?",
            {progress.checkpoint_scn, progress.max_scn, progress.piece_input_bytes, progress.piece_output_bytes, tenant,
             piece_id});
        client.query(
            "UPDATE tidemark.archive_round r JOIN ("
            "    SELECT round_id, SUM(input_bytes) AS input_bytes, SUM(output_bytes) AS output_bytes"
            "    FROM tidemark.archive_piece WHERE tenant_id = ? AND round_id = ("
            "        SELECT round_id FROM tidemark.archive_piece WHERE tenant_id = ? AND piece_id = ?)"
            "    GROUP BY round_id) s ON s.round_id = r.round_id "
            "SET r.checkpoint_scn = GREATEST(r.checkpoint_scn, ?), "
            "    r.input_bytes = s.input_bytes, r.output_bytes = s.output_bytes WHERE r.tenant_id = ?",
            {tenant, tenant, piece_id, progress.checkpoint_scn, tenant});
        client.query(
            "UPDATE tidemark.tenant SET sync_scn = GREATEST(sync_scn, ?), "
            "readable_scn = GREATEST(readable_scn, ?) WHERE tenant_id = ?",
            {progress.checkpoint_scn, progress.checkpoint_scn, tenant});
    });
}

void ArchiveStore::setPieceFileStatus(TenantId tenant, std::int64_t piece_id, FileStatus status) {
    catalog_.write({{tenant, Topic::Archive}}, [&](mysql::SqlClient& client) {
        updateRows(client, "archive_piece", {{"file_status", text(status)}},
                   {{"tenant_id", tenant}, {"piece_id", piece_id}});
    });
}

std::optional<ArchiveRound> ArchiveStore::lastRound(TenantId tenant) {
    return catalog_.read(
        [&](mysql::SqlClient& client) { return firstAs<ArchiveRound>(client.query(kLastRound, {tenant}), roundFrom); });
}

std::vector<ArchiveRound> ArchiveStore::rounds(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<ArchiveRound>(
            client.query("SELECT * FROM tidemark.archive_round WHERE tenant_id = ? ORDER BY round_id", {tenant}),
            roundFrom);
    });
}

std::vector<ArchivePiece> ArchiveStore::pieces(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<ArchivePiece>(
            client.query("SELECT * FROM tidemark.archive_piece WHERE tenant_id = ? ORDER BY piece_id", {tenant}),
            pieceFrom);
    });
}

std::optional<ArchivePiece> ArchiveStore::lastPiece(TenantId tenant) {
    return catalog_.read(
        [&](mysql::SqlClient& client) { return firstAs<ArchivePiece>(client.query(kLastPiece, {tenant}), pieceFrom); });
}

std::vector<ArchiveRound> ArchiveStore::unfinishedRounds() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<ArchiveRound>(
            client.query("SELECT * FROM tidemark.archive_round WHERE status <> 'STOP' ORDER BY tenant_id, round_id"),
            roundFrom);
    });
}

}  // namespace tidemark::catalog
