#include <fmt/format.h>

#include "catalog/archive_store.h"
#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

constexpr std::size_t kRowsPerStatement = 200;

/// Rows of values as a derived table `v`, so that one statement changes the rows of many tenants.
class ValueRows {
public:
    /// `statement` has `{}` where the derived table stands.
    ValueRows(mysql::SqlClient& client, std::vector<std::string> columns, std::string statement)
        : client_(client), columns_(std::move(columns)), statement_(std::move(statement)) {}

    void add(const std::vector<mysql::Value>& row) {
        if (rows_ > 0) table_ += " UNION ALL ";
        table_ += "SELECT ";
        for (std::size_t i = 0; i < row.size(); ++i)
            table_ += fmt::format("{}? AS {}", i == 0 ? "" : ", ", columns_.at(i));
        values_.insert(values_.end(), row.begin(), row.end());
        if (++rows_ == kRowsPerStatement) flush();
    }

    void flush() {
        if (rows_ > 0) client_.query(fmt::format(fmt::runtime(statement_), "(" + table_ + ") v"), values_);
        table_.clear();
        values_.clear();
        rows_ = 0;
    }

private:
    mysql::SqlClient& client_;
    const std::vector<std::string> columns_;
    const std::string statement_;
    std::string table_;
    std::vector<mysql::Value> values_;
    std::size_t rows_ = 0;
};

Scn checkpointOf(const RoundUpdate& update) {
    Scn checkpoint = update.start_scn.value_or(0);
    for (const PieceProgress& piece : update.pieces)
        checkpoint = std::max(checkpoint, piece.checkpoint_scn);
    return checkpoint;
}

void openPieces(mysql::SqlClient& client, const RoundUpdate& update, const mysql::Value& now) {
    std::int64_t known = update.known_piece_id;
    if (known == 0 && !update.pieces.empty()) {
        const auto last = client.scalar(
            "SELECT COALESCE(MAX(piece_id), 0) FROM tidemark.archive_piece WHERE tenant_id = ? AND round_id = ?",
            {update.tenant, update.round_id});
        known = std::stoll(last.value_or("0"));
    }
    for (const PieceProgress& piece : update.pieces) {
        if (piece.piece_id <= known) continue;
        client.query(
            "INSERT INTO tidemark.archive_piece (tenant_id, piece_id, dest_id, round_id, status, file_status, "
            "start_scn, "
            "checkpoint_scn, end_scn, path, create_time) SELECT tenant_id, ?, dest_id, round_id, ?, ?, ?, ?, ?, path, "
            "? "
            "FROM tidemark.archive_round WHERE tenant_id = ? AND round_id = ?",
            {piece.piece_id, text(PieceStatus::Active), text(FileStatus::Available), piece.start_scn, piece.start_scn,
             piece.end_scn, now, update.tenant, update.round_id});
    }
}

void writePieces(mysql::SqlClient& client, std::span<const RoundUpdate> updates) {
    ValueRows pieces(
        client,
        {"tenant_id", "piece_id", "frozen", "end_scn", "checkpoint_scn", "max_scn", "input_bytes", "output_bytes"},
        "UPDATE {} STRAIGHT_JOIN tidemark.archive_piece p "
        "ON p.tenant_id = v.tenant_id AND p.piece_id = v.piece_id "
        "SET p.status = IF(v.frozen, 'FROZEN', p.status), p.end_scn = IF(v.frozen, v.end_scn, p.end_scn), "
        "p.checkpoint_scn = GREATEST(p.checkpoint_scn, v.checkpoint_scn), "
        "p.max_scn = GREATEST(p.max_scn, v.max_scn), p.input_bytes = v.input_bytes, "
        "p.output_bytes = v.output_bytes");
    for (const RoundUpdate& update : updates) {
        for (const PieceProgress& piece : update.pieces) {
            pieces.add({update.tenant, piece.piece_id, std::int64_t{piece.frozen}, piece.end_scn, piece.checkpoint_scn,
                        piece.max_scn, piece.input_bytes, piece.output_bytes});
        }
    }
    pieces.flush();
}

void writeRounds(mysql::SqlClient& client, std::span<const RoundUpdate> updates) {
    ValueRows rounds(client, {"tenant_id", "round_id", "start_scn", "checkpoint_scn"},
                     "UPDATE {} STRAIGHT_JOIN tidemark.archive_round r "
                     "ON r.tenant_id = v.tenant_id AND r.round_id = v.round_id "
                     "STRAIGHT_JOIN tidemark.tenant t ON t.tenant_id = v.tenant_id "
                     "SET r.start_scn = IF(v.start_scn = 0, r.start_scn, v.start_scn), "
                     "r.checkpoint_scn = GREATEST(r.checkpoint_scn, v.checkpoint_scn), "
                     "t.sync_scn = GREATEST(t.sync_scn, v.checkpoint_scn), "
                     "t.readable_scn = GREATEST(t.readable_scn, v.checkpoint_scn)");
    // Asked only of a round whose first pieces were removed before its writer opened it.
    const auto removed = [](const std::string& bytes) {
        return "IF(v.first_piece_id <= r.base_piece_id, 0, (SELECT COALESCE(SUM(p." + bytes +
               "), 0) FROM tidemark.archive_piece p WHERE p.tenant_id = r.tenant_id AND p.round_id = r.round_id "
               "AND p.piece_id < v.first_piece_id))";
    };
    ValueRows bytes(client, {"tenant_id", "round_id", "piece_id", "first_piece_id", "input_bytes", "output_bytes"},
                    "UPDATE {} STRAIGHT_JOIN tidemark.archive_round r "
                    "ON r.tenant_id = v.tenant_id AND r.round_id = v.round_id "
                    "SET r.used_piece_id = GREATEST(r.used_piece_id, v.piece_id), r.input_bytes = v.input_bytes + " +
                        removed("input_bytes") + ", r.output_bytes = v.output_bytes + " + removed("output_bytes"));
    for (const RoundUpdate& update : updates) {
        const Scn checkpoint = checkpointOf(update);
        if (checkpoint != 0) rounds.add({update.tenant, update.round_id, update.start_scn.value_or(0), checkpoint});
        if (update.pieces.empty()) continue;
        bytes.add(
            {update.tenant, update.round_id, update.pieces.back().piece_id, update.first_piece_id, update.input_bytes,
             update.output_bytes});
    }
    rounds.flush();
    bytes.flush();
}

void writeCovered(mysql::SqlClient& client, std::span<const RoundUpdate> updates) {
    ValueRows covered(client, {"tenant_id", "round_id", "scn"},
                      "INSERT INTO tidemark.archive_covered (tenant_id, round_id, scn) "
                      "SELECT r.tenant_id, r.round_id, v.scn FROM {} STRAIGHT_JOIN tidemark.archive_round r "
                      "ON r.tenant_id = v.tenant_id AND r.round_id = v.round_id ON DUPLICATE KEY UPDATE "
                      "scn = IF(archive_covered.round_id = VALUES(round_id), "
                      "GREATEST(archive_covered.scn, VALUES(scn)), VALUES(scn)), round_id = VALUES(round_id)");
    for (const RoundUpdate& update : updates) {
        // A checkpoint that the destination has says as much.
        if (update.covered_scn > checkpointOf(update))
            covered.add({update.tenant, update.round_id, update.covered_scn});
    }
    covered.flush();
}

void writeRest(mysql::SqlClient& client, const RoundUpdate& update) {
    if (update.status) {
        updateRows(client, "archive_round",
                   {{"status", text(*update.status)}, {"comment", fitting(update.comment, 4096)}},
                   {{"tenant_id", update.tenant}, {"round_id", update.round_id}});
    }
    for (const std::int64_t change : update.archived_settings)
        deleteRows(client, "setting_change", {{"tenant_id", update.tenant}, {"change_id", change}});
}

std::vector<Change> changesBy(std::span<const RoundUpdate> updates) {
    std::vector<Change> changes;
    for (const RoundUpdate& update : updates) {
        Topic topic{};
        if (checkpointOf(update) != 0) topic = Topic::ArchiveProgress;
        // A piece that is frozen, or that the catalog is not known to have, is more than progress.
        for (const PieceProgress& piece : update.pieces)
            if (piece.frozen || piece.piece_id > update.known_piece_id) topic = topic | Topic::Archive;
        if (update.status) topic = topic | Topic::Archive;
        if (update.covered_scn > checkpointOf(update)) topic = topic | Topic::Covered;
        if (topic != Topic{}) changes.push_back({update.tenant, topic});
    }
    return changes;
}

}  // namespace

void ArchiveStore::update(std::span<const RoundUpdate> rounds) {
    if (rounds.empty()) return;
    catalog_.write(changesBy(rounds), [&](mysql::SqlClient& client) {
        const mysql::Value now = sqlTime(catalog_.clock().now());
        for (const RoundUpdate& round : rounds)
            openPieces(client, round, now);
        writePieces(client, rounds);
        writeRounds(client, rounds);
        writeCovered(client, rounds);
        for (const RoundUpdate& round : rounds)
            writeRest(client, round);
    });
}

}  // namespace tidemark::catalog
