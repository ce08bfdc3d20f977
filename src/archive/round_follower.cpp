#include "archive/round_follower.h"

#include <fmt/format.h>

#include "base/crash_point.h"

namespace tidemark::archive {

RoundFollower::RoundFollower(const catalog::ArchiveRound& round, ArchiverOptions options,
                             std::shared_ptr<storage::Storage> destination, catalog::Stores& stores, const Clock& clock,
                             SettingsOf settings)
    : tenant_(round.tenant),
      round_id_(round.round_id),
      endpoint_(options.tenant),
      stores_(stores),
      log_(makeLogger(fmt::format("archive tenant={} round={}", options.tenant_name, round.round_id))),
      destination_(std::move(destination)),
      settings_(tenant_, options.round.key, options.tenant, *destination_, stores, clock, std::move(settings)),
      archiver_(std::move(options), *destination_, clock, *this) {
    if (const auto piece = stores_.archive.lastPiece(tenant_); piece && piece->round_id == round_id_) {
        last_piece_ = piece->piece_id;
    }
    archiver_.start();
}

bool RoundFollower::guarded(const char* what, const std::function<void()>& record) {
    try {
        record();
        return true;
    } catch (const std::exception& error) {
        log_->warn("{} could not be recorded: {}", what, error.what());
        return false;
    }
}

void RoundFollower::progress(const ArchiveProgress& progress) {
    remember(progress.pieces);
    guarded("progress", [&] {
        settings_.write();
        if (!begun_) stores_.archive.setRoundStart(tenant_, round_id_, progress.round.start_scn);
        recordPieces();
        crashPoint("archive.progress-recorded");
        if (!begun_) {
            stores_.archive.setRoundStatus(tenant_, round_id_, catalog::RoundStatus::Doing);
            begun_ = true;
        }
    });
    if (!progress.purge_before.empty() && progress.purge_before != purged_before_) purge(progress.purge_before);
}

void RoundFollower::remember(const std::vector<PieceState>& changed) {
    for (const PieceState& piece : changed)
        unrecorded_[piece.key] = piece;
}

void RoundFollower::recordPieces() {
    while (!unrecorded_.empty()) {
        recordPiece(unrecorded_.begin()->second);
        unrecorded_.erase(unrecorded_.begin());
    }
}

void RoundFollower::recordPiece(const PieceState& piece) {
    const auto id = static_cast<std::int64_t>(piece.key.piece);
    if (id > last_piece_) {
        stores_.archive.openPiece(tenant_, round_id_, id, piece.start_scn, piece.end_scn);
        last_piece_ = id;
    }
    stores_.archive.progress(tenant_, id,
                             {.checkpoint_scn = piece.checkpoint_scn,
                              .max_scn = piece.max_scn,
                              .piece_input_bytes = piece.input_bytes,
                              .piece_output_bytes = piece.output_bytes});
    if (piece.frozen) stores_.archive.freezePiece(tenant_, id, piece.end_scn);
}

bool RoundFollower::interrupted(const std::string& reason) {
    log_->error("interrupted: {} (hint: NOARCHIVELOG, ARCHIVELOG, then a new backup)", reason);
    return guarded("the interruption", [&] {
        recordPieces();
        stores_.archive.setRoundStatus(tenant_, round_id_, catalog::RoundStatus::Interrupted, reason);
    });
}

void RoundFollower::trouble(const std::string& text) {
    log_->warn("{}; trying again", text);
    guarded("the trouble", [&] {
        const auto status = begun_ ? catalog::RoundStatus::Doing : catalog::RoundStatus::Beginning;
        stores_.archive.setRoundStatus(tenant_, round_id_, status, text);
    });
}

void RoundFollower::recovered() {
    log_->info("goes on");
    guarded("the recovery", [&] { stores_.archive.setRoundStatus(tenant_, round_id_, catalog::RoundStatus::Doing); });
}

void RoundFollower::purge(const std::string& before) {
    try {
        mysql::Endpoint endpoint = endpoint_;
        endpoint.statement_timeout = std::chrono::seconds(10);
        mysql::SqlClient(endpoint).query("PURGE BINARY LOGS TO ?", {before});
        purged_before_ = before;
        log_->debug("purged the binlog before {}", before);
    } catch (const Error& error) {
        log_->warn("the binlog before {} is archived, but could not be purged: {}", before, error.what());
    }
}

}  // namespace tidemark::archive
