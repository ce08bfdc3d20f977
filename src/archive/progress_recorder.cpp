#include "archive/progress_recorder.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/stop_sleep.h"

namespace tidemark::archive {
namespace {

using catalog::RoundStatus;
using catalog::RoundUpdate;
using catalog::TenantId;
using std::chrono::milliseconds;

constexpr milliseconds kGathering{100};  // what happens within it is one transaction
constexpr milliseconds kRetry{1000};

catalog::PieceProgress progressOf(const PieceState& piece) {
    return {.piece_id = static_cast<std::int64_t>(piece.key.piece),
            .start_scn = piece.start_scn,
            .end_scn = piece.end_scn,
            .checkpoint_scn = piece.checkpoint_scn,
            .max_scn = piece.max_scn,
            .input_bytes = piece.input_bytes,
            .output_bytes = piece.output_bytes,
            .frozen = piece.frozen};
}

}  // namespace

/// One round: what was told and not written yet.
struct ProgressRecorder::Round {
    TenantId tenant = 0;
    std::int64_t round_id = 0;
    std::function<void()> attend;

    std::optional<ArchiveProgress> progress;                // the newest, without its pieces
    std::map<std::int64_t, catalog::PieceProgress> pieces;  // the newest of each
    std::optional<RoundStatus> status;
    std::string comment;
    bool begun = false;
    std::int64_t known_piece = 0;

    std::optional<OpenedRound> opened;
    bool settled = false;     // its first settings are known to be at the destination, or on the way
    SettingsToStore storing;  // with the archiver
    std::vector<std::int64_t> archived_settings;

    bool busy = false;  // the recorder's thread works on it
    bool gone = false;

    bool held() const { return !storing.records.empty(); }
    bool due() const { return !busy && (status || (progress && !held())); }

    RoundUpdate takeUpdate(bool with_progress) {
        RoundUpdate update{.tenant = tenant, .round_id = round_id, .known_piece_id = known_piece};
        update.status = std::exchange(status, std::nullopt);
        update.comment = std::exchange(comment, {});
        update.archived_settings = std::exchange(archived_settings, {});
        if (!with_progress || !progress) return update;
        for (const auto& [id, piece] : std::exchange(pieces, {}))
            update.pieces.push_back(piece);
        update.input_bytes = progress->round.input_bytes;
        update.output_bytes = progress->round.output_bytes;
        update.first_piece_id = static_cast<std::int64_t>(progress->round.first_piece_id);
        update.covered_scn = progress->round.covered_scn;
        if (!begun) {
            update.start_scn = progress->round.start_scn;
            // What interrupted it at once is what is shown.
            if (update.status != RoundStatus::Interrupted) update.status = RoundStatus::Doing;
        }
        begun = true;
        progress.reset();
        return update;
    }

    /// It was not written. What has been told since is newer.
    void giveBack(const RoundUpdate& update) {
        if (update.start_scn) begun = false;
        if (update.status && !status) {
            status = update.status;
            comment = update.comment;
        }
        archived_settings.insert(archived_settings.end(), update.archived_settings.begin(),
                                 update.archived_settings.end());
        if (update.pieces.empty() && update.covered_scn == 0) return;
        for (const catalog::PieceProgress& piece : update.pieces)
            pieces.emplace(piece.piece_id, piece);
        if (progress) return;
        progress.emplace();
        progress->round.start_scn = update.start_scn.value_or(0);
        progress->round.covered_scn = update.covered_scn;
        progress->round.input_bytes = update.input_bytes;
        progress->round.output_bytes = update.output_bytes;
        progress->round.first_piece_id = static_cast<std::uint64_t>(update.first_piece_id);
    }
};

ProgressRecorder::ProgressRecorder(catalog::Stores& stores, const Clock& clock, SettingsOf settings)
    : stores_(stores),
      clock_(clock),
      settings_(std::move(settings)),
      log_(makeLogger("archive-recorder")),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

ProgressRecorder::~ProgressRecorder() {
    thread_.request_stop();
    thread_.join();
}

// --- what archivers tell ---

void ProgressRecorder::change(TenantId tenant, const std::function<void(Round&)>& work) {
    const MutexLock lock(mutex_);
    const auto found = rounds_.find(tenant);
    if (found == rounds_.end()) return;
    work(*found->second);
    if (found->second->due()) changed_.notifyAll();
}

void ProgressRecorder::opened(TenantId tenant, const OpenedRound& round) {
    change(tenant, [&](Round& known) { known.opened = round; });
}

void ProgressRecorder::progress(TenantId tenant, const ArchiveProgress& progress) {
    change(tenant, [&](Round& round) {
        round.progress = progress;
        for (const PieceState& piece : std::exchange(round.progress->pieces, {}))
            round.pieces.insert_or_assign(static_cast<std::int64_t>(piece.key.piece), progressOf(piece));
    });
}

void ProgressRecorder::status(TenantId tenant, RoundStatus status, const std::string& comment) {
    change(tenant, [&](Round& round) {
        round.status = status;
        round.comment = comment;
    });
}

void ProgressRecorder::trouble(TenantId tenant, const std::string& comment) {
    change(tenant, [&](Round& round) {
        round.status = round.begun || round.progress ? RoundStatus::Doing : RoundStatus::Beginning;
        round.comment = comment;
    });
}

std::vector<SettingsRecord> ProgressRecorder::settingsToStore(TenantId tenant) {
    std::vector<SettingsRecord> records;
    change(tenant, [&](Round& round) { records = round.storing.records; });
    return records;
}

void ProgressRecorder::settingsStored(TenantId tenant) {
    change(tenant, [](Round& round) {
        const auto& changes = round.storing.changes;
        round.archived_settings.insert(round.archived_settings.end(), changes.begin(), changes.end());
        round.storing = {};
    });
}

// --- begin and end ---

void ProgressRecorder::begin(const catalog::ArchiveRound& row, std::function<void()> attend) {
    auto round = std::make_shared<Round>();
    round->tenant = row.tenant;
    round->round_id = row.round_id;
    round->attend = std::move(attend);
    const MutexLock lock(mutex_);
    rounds_[row.tenant] = std::move(round);
}

void ProgressRecorder::drop(TenantId tenant) {
    const MutexLock lock(mutex_);
    const auto found = rounds_.find(tenant);
    if (found == rounds_.end()) return;
    found->second->gone = true;
    rounds_.erase(found);
    changed_.notifyAll();
}

void ProgressRecorder::end(TenantId tenant) {
    MutexLock lock(mutex_);
    const auto found = rounds_.find(tenant);
    if (found == rounds_.end()) return;
    const std::shared_ptr<Round> round = found->second;
    round->gone = true;
    rounds_.erase(found);
    changed_.wait(lock, [&]() REQUIRES(mutex_) { return !round->busy; });
    const RoundUpdate last = round->takeUpdate(true);
    lock.unlock();
    stores_.archive.update({&last, 1});
}

bool ProgressRecorder::drain(milliseconds limit) {
    MutexLock lock(mutex_);
    return changed_.waitFor(lock, limit, [&]() REQUIRES(mutex_) {
        return std::ranges::none_of(rounds_,
                                    [](const auto& entry) { return entry.second->busy || entry.second->due(); });
    });
}

// --- the thread ---

void ProgressRecorder::run(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "archive-record");
    for (;;) {
        const Rounds rounds = takeDue(stop);
        if (rounds.empty()) return;
        bool written = false;
        try {
            write(rounds);
            written = true;
            if (!std::exchange(trouble_, {}).empty()) log_->info("the catalog follows the archives again");
        } catch (const std::exception& error) {
            if (std::exchange(trouble_, error.what()) != error.what())
                log_->warn("the archives go on, the catalog does not follow them: {}", error.what());
        }
        release(rounds);
        if (!written) sleepFor(stop, kRetry);
    }
}

/// Marked busy; none at the end.
ProgressRecorder::Rounds ProgressRecorder::takeDue(std::stop_token stop) {
    MutexLock lock(mutex_);
    const auto any = [&]() REQUIRES(mutex_) {
        return std::ranges::any_of(rounds_, [](const auto& entry) { return entry.second->due(); });
    };
    Rounds due;
    while (due.empty() && changed_.wait(lock, stop, any)) {
        lock.unlock();
        sleepFor(stop, kGathering);
        lock.lock();
        for (const auto& [tenant, round] : rounds_) {
            if (!round->due()) continue;
            round->busy = true;
            due.push_back(round);
        }
    }
    return due;
}

void ProgressRecorder::release(const Rounds& rounds) {
    const MutexLock lock(mutex_);
    for (const auto& round : rounds)
        round->busy = false;
    changed_.notifyAll();
}

void ProgressRecorder::write(const Rounds& rounds) {
    prepareSettings(rounds);
    std::vector<RoundUpdate> updates = takeUpdates(rounds);
    try {
        stores_.archive.update(updates);
        crashPoint("archive.progress-recorded");
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Unavailable || updates.size() == 1) {
            giveBack(rounds, updates);
            throw;
        }
        return writeOneByOne(rounds, std::move(updates));
    }
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        if (!updates[i].pieces.empty()) rounds[i]->known_piece = updates[i].pieces.back().piece_id;
    }
}

/// What cannot be written of one keeps nobody else's from it.
void ProgressRecorder::writeOneByOne(const Rounds& rounds, std::vector<RoundUpdate> updates) {
    std::exception_ptr failure;
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        try {
            stores_.archive.update({&updates[i], 1});
        } catch (const Error&) {
            failure = std::current_exception();
            giveBack({rounds[i]}, {updates[i]});
        }
    }
    if (failure) std::rethrow_exception(failure);
}

std::vector<RoundUpdate> ProgressRecorder::takeUpdates(const Rounds& rounds) {
    const MutexLock lock(mutex_);
    std::vector<RoundUpdate> updates;
    for (const auto& round : rounds)
        updates.push_back(round->takeUpdate(!round->held()));
    return updates;
}

void ProgressRecorder::giveBack(const Rounds& rounds, const std::vector<RoundUpdate>& updates) {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < rounds.size(); ++i)
        rounds[i]->giveBack(updates[i]);
}

/// Hands the archivers what they have to put beside the log first.
void ProgressRecorder::prepareSettings(const Rounds& rounds) {
    std::map<TenantId, std::vector<catalog::SettingChange>> changes;
    for (catalog::SettingChange& change : stores_.setting_changes.all())
        changes[change.tenant].push_back(std::move(change));
    for (const auto& round : rounds) {
        auto& waiting = changes[round->tenant];
        {
            const MutexLock lock(mutex_);
            if (!round->progress || !round->opened || round->held()) continue;
            // Those that are there already are only not removed yet.
            std::erase_if(waiting, [&](const auto& change) {
                return std::ranges::find(round->archived_settings, change.id) != round->archived_settings.end();
            });
            if (round->settled && waiting.empty()) continue;
        }
        SettingsToStore store = settingsOf(*round, waiting);
        const MutexLock lock(mutex_);
        round->settled = true;
        if (round->gone) continue;
        if (store.records.empty()) {
            round->archived_settings.insert(round->archived_settings.end(), store.changes.begin(), store.changes.end());
            continue;
        }
        round->storing = std::move(store);
        round->attend();
    }
}

/// `opened` and `settled` are changed by nobody else while the round is busy.
SettingsToStore ProgressRecorder::settingsOf(const Round& round, const std::vector<catalog::SettingChange>& changes) {
    if (round.settled) return settingsChanged(round.opened->start.key, changes);
    const auto now = static_cast<Scn>(clock_.now());
    const auto piece = stores_.archive.lastPiece(round.tenant);
    return settingsAtOpening(*round.opened, changes, piece && piece->round_id == round.round_id, now,
                             settings_(round.tenant));
}

}  // namespace tidemark::archive
