#include "archive/archiver_loop.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/archive_reader.h"
#include "archive/group_receiver.h"
#include "archive/leaving_storage.h"
#include "base/error.h"
#include "base/stop_sleep.h"
#include "mysql/dump_client.h"
#include "storage/destination.h"

namespace tidemark::archive {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kIdleShortest{1000};  // after data, until it is looked whether nothing came; then doubling
constexpr milliseconds kRetryShortest{1000};
constexpr Nanos kClockTick = kMillisecond;  // within which SCNs only count up: past before anything is durable
constexpr int kReplicationRefused = 1236;   // ER_MASTER_FATAL_ERROR_READING_BINLOG
constexpr int kRefusalsToBelieve = 2;       // one may come from a server that is just going down

/// After `interval`; the longest ends at the same moments for all archivers, so that what they find is written at once.
steady_clock::time_point nextLook(milliseconds interval, milliseconds longest) {
    const auto now = steady_clock::now();
    if (interval < longest) return now + interval;
    const auto period = std::chrono::duration_cast<steady_clock::duration>(longest);
    return now + period - now.time_since_epoch() % period;
}

}  // namespace

/// One connection to the tenant, from login to loss.
struct ArchiverLoop::Session {
    mysql::WireClient admin;
    std::optional<mysql::DumpClient> dump;
    std::optional<GroupReceiver> receiver;
    steady_clock::time_point oldest_pending{};  // arrival of the first transaction that is not durable
    milliseconds idle_interval = kIdleShortest;
    steady_clock::time_point idle_due = steady_clock::now();
    // An idle tenant's checkpoint is written ever more rarely: what the destination knows of an idle time is at least
    // half of it.
    milliseconds checkpoint_interval = kIdleShortest;
    steady_clock::time_point checkpoint_due = steady_clock::now();
};

ArchiverLoop::ArchiverLoop(ArchiverOptions options, std::shared_ptr<storage::Storage> destination, const Clock& clock,
                           ArchiveListener& listener)
    : options_(std::move(options)),
      destination_(std::make_shared<LeavingStorage>(std::move(destination), left_)),
      clock_(clock),
      log_(makeLogger("archive tenant=" + options_.tenant_name)),
      durable_checkpoint_(options_.known_checkpoint),
      covered_(std::max(options_.known_covered, options_.known_checkpoint)),
      retry_(kRetryShortest, options_.retry_longest),
      ending_(options_.only_to_end ? Ending::Close : Ending::Drop),
      lag_target_(options_.lag_target),
      listener_(&listener) {}

void ArchiverLoop::setLagTarget(milliseconds lag_target) {
    if (lag_target_.exchange(lag_target) != lag_target) waker_.wake();
}

void ArchiverLoop::hurry() {
    hurry_ = true;
    waker_.wake();
}

void ArchiverLoop::attend() {
    attention_ = true;
    waker_.wake();
}

void ArchiverLoop::beginEnd(Ending ending) {
    ending_ = ending;
    const MutexLock lock(mutex_);
    if (!end_by_) end_by_ = steady_clock::now() + options_.end_limit;
}

bool ArchiverLoop::awaitEnd(const std::function<void()>& leave) {
    MutexLock lock(mutex_);
    const auto until = end_by_.value_or(steady_clock::now() + options_.end_limit);
    if (ended_changed_.waitUntil(lock, until, [&]() REQUIRES(mutex_) { return ended_; })) return true;
    leave();
    *left_ = true;
    listener_ = nullptr;
    ending_ = Ending::Drop;
    log_->warn("{} does not answer; its archiver is left behind", destination_->url());
    return false;
}

void ArchiverLoop::throwFailure() const {
    if (*left_) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("{} has not answered for {} s", destination_->url(),
                                std::chrono::duration_cast<std::chrono::seconds>(options_.end_limit).count()),
                    "look after its file system");
    }
    if (ending_failure_) std::rethrow_exception(ending_failure_);
}

void ArchiverLoop::tell(const std::function<void(ArchiveListener&)>& word) {
    const MutexLock lock(mutex_);
    if (listener_ != nullptr) word(*listener_);
}

void ArchiverLoop::run(std::stop_token stop) {
    stop_ = std::move(stop);
    while (!options_.only_to_end && !stop_.stop_requested() && !interruption_) {
        try {
            runSession();
        } catch (const Interruption& reason) {
            interruption_ = reason.what();
        } catch (const Error& error) {
            if (!stop_.stop_requested()) handleFailure(error);
        } catch (const std::exception& failure) {
            if (!stop_.stop_requested()) handleFailure(Error(ErrorCode::Internal, failure.what()));
        }
        if (!interruption_) waitBeforeRetry();
    }
    if (interruption_) handleInterruption();
    finishRound();
    const MutexLock lock(mutex_);
    ended_ = true;
    ended_changed_.notifyAll();
}

/// Connects, opens the round behind what is durable, and follows the binlog until something fails.
void ArchiverLoop::runSession() {
    round_.reset();
    Session session{mysql::WireClient(options_.tenant, stop_)};
    openRound(session);
    // In this order: what the position contains was in the binlog before the stream began.
    auto before = mysql::GtidPosition::parse(session.admin.query("SELECT @@gtid_binlog_pos").value_or(""));
    if (!before.contains(round_->position())) {
        // The server itself would only notice once it has written in that domain again.
        throw Interruption(
            fmt::format("the tenant's binlog ends at '{}', but '{}' has been archived: it was reset, or lost "
                        "transactions",
                        before.text(), round_->position().text()));
    }
    session.receiver.emplace(*round_, clock_, CaughtUp{std::move(before), clock_.now()});
    session.dump.emplace(options_.tenant,
                         mysql::DumpOptions{.server_id = options_.server_id, .position = round_->position()}, stop_);
    follow(session);
}

void ArchiverLoop::openRound(Session& session) {
    const auto start = [&] {
        if (durable_checkpoint_ != 0) {
            throw Error(ErrorCode::Unavailable,
                        fmt::format("{} has no {}", destination_->url(), nameOf(options_.round.key)),
                        "is the destination mounted?");
        }
        // The time first: whatever is committed before it is in the position.
        const auto scn = static_cast<Scn>(clock_.now());
        const auto position = session.admin.query("SELECT @@gtid_binlog_pos").value_or("");
        return RoundWriter::StartPoint{scn, mysql::GtidPosition::parse(position)};
    };
    try {
        round_ = std::make_unique<RoundWriter>(*destination_, options_.round, start);
    } catch (const Error& error) {
        // What is at the destination is the only truth about what was archived: without it there is no going on.
        const bool final = error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::Conflict;
        if (final) throw Interruption(error.what());
        throw;
    }
    if (round_->state().checkpoint_scn < durable_checkpoint_) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("{} shows {} archived up to {} only, not to {}", destination_->url(),
                                nameOf(options_.round.key), round_->state().checkpoint_scn, durable_checkpoint_));
    }
    round_->cover(covered_);
    requireClock();
    if (!opened_) {
        const OpenedRound opened{readRoundStart(*destination_, options_.round.key),
                                 readSettings(*destination_, options_.round.key)};
        tell([&](ArchiveListener& listener) { listener.opened(opened); });
        opened_ = true;
    }
    report();
}

/// A clock that was ahead for a moment, or is not set yet after a start of the machine; or an archive of a version that
/// took SCNs from what sessions told. Going on would give whatever is committed now times of that future, and a restore
/// to a time would leave it out without a word.
void ArchiverLoop::requireClock() const {
    const Nanos ahead = static_cast<Nanos>(round_->lastScn()) - clock_.now();
    if (ahead <= kClockTick) return;
    throw Error(ErrorCode::Unavailable,
                fmt::format("the clock is {} s behind the last SCN of the archive, {}", (ahead + kSecond - 1) / kSecond,
                            formatTimestamp(static_cast<Nanos>(round_->lastScn()))),
                "set the clock if it is wrong; else archiving goes on by itself at that time, or at once after "
                "NOARCHIVELOG, ARCHIVELOG, and a new backup");
}

/// When the tenant is lost, what has arrived whole must not be: it may exist nowhere else by now.
template <typename Ask>
auto ArchiverLoop::askTenant(Ask ask) {
    try {
        return ask();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Cancelled) round_->flush();
        throw;
    }
}

void ArchiverLoop::follow(Session& session) {
    GroupReceiver& receiver = *session.receiver;
    for (;;) {
        if (attention_.exchange(false)) storeSettings();
        const bool was_pending = round_->pending();
        const auto due = was_pending ? session.oldest_pending + lag_target_.load() : session.idle_due;
        const auto part = askTenant([&] { return session.dump->next(due, &waker_); });
        if (part) {
            requireClock();
            receiver.take(*part);
        } else {
            waker_.clear();
        }
        const auto now = steady_clock::now();
        if (round_->pending() && !was_pending) session.oldest_pending = now;
        if (receiver.insideTransaction()) continue;
        const bool hurry = hurry_.exchange(false);
        const bool lags = round_->pending() && (hurry || now >= session.oldest_pending + lag_target_.load());
        if (lags || round_->pendingBytes() >= kSegmentSize) flush(session);
        if (!round_->pending() && (hurry || now >= session.idle_due)) lookIfIdle(session, hurry);
    }
}

void ArchiverLoop::flush(Session& session) {
    requireClock();
    round_->flush();
    session.idle_interval = session.checkpoint_interval = kIdleShortest;
    session.checkpoint_due = steady_clock::now();
    session.idle_due = session.checkpoint_due + kIdleShortest;
    noteDurable(session);
}

/// Nothing is pending: if the stream has delivered all there is, everything up to now is durable.
void ArchiverLoop::lookIfIdle(Session& session, bool durable) {
    session.idle_due = nextLook(session.idle_interval, options_.idle_longest);
    requireClock();
    const auto time = static_cast<Scn>(clock_.now());
    const auto written = mysql::GtidPosition::parse(session.admin.query("SELECT @@gtid_binlog_pos").value_or(""));
    if (!round_->position().contains(written) || time <= round_->lastScn()) return;
    session.idle_interval = std::min(session.idle_interval * 2, options_.idle_longest);
    coverUpTo(session, time, durable);
    noteDurable(session);
}

void ArchiverLoop::coverUpTo(Session& session, Scn time, bool durable) {
    const auto now = steady_clock::now();
    if (!durable && now < session.checkpoint_due && time < round_->pieceEnd()) return round_->cover(time);
    round_->checkpoint(time);
    session.checkpoint_due = now + session.checkpoint_interval;
    session.checkpoint_interval = std::min(session.checkpoint_interval * 2, options_.checkpoint_longest);
}

/// Everything that has arrived is durable: both sides work.
void ArchiverLoop::noteDurable(const Session& session) {
    report(session.receiver->binlogFile());
    refusals_ = 0;
    retry_.reset();
    if (!std::exchange(trouble_, {}).empty()) {
        log_->info("archiving goes on, durable up to {}", round_->position().text());
        tell([](ArchiveListener& listener) { listener.recovered(); });
    }
}

/// Not durable is what was written where no destination is; the next session begins behind what really is there.
void ArchiverLoop::report(const std::optional<std::string>& purge_before) {
    storeSettings();
    storage::requireMounted(*destination_);
    // After a connection it is not known before the stream has named the file.
    if (purge_before && !purge_before->empty()) purge_before_ = *purge_before;
    durable_checkpoint_ = round_->state().checkpoint_scn;
    covered_ = std::max(covered_, round_->state().covered_scn);
    const ArchiveProgress progress{round_->state(), round_->takeChangedPieces(), round_->position(), purge_before_};
    tell([&](ArchiveListener& listener) { listener.progress(progress); });
}

/// In parts of the listener's lock only: the destination may hang meanwhile.
void ArchiverLoop::storeSettings() {
    std::vector<SettingsRecord> records;
    tell([&](ArchiveListener& listener) { records = listener.settingsToStore(); });
    if (records.empty()) return;
    for (const SettingsRecord& record : records)
        putRecord(*destination_, record);
    storage::requireMounted(*destination_);
    tell([](ArchiveListener& listener) { listener.settingsStored(); });
}

void ArchiverLoop::handleFailure(const Error& error) {
    const bool refused = error.sql() && error.sql()->number == kReplicationRefused;
    refusals_ = refused ? refusals_ + 1 : 0;
    if (refusals_ >= kRefusalsToBelieve) {
        interruption_ = error.what();
        return;
    }
    std::string trouble = error.what();
    // A newer version has gone on with the round: nothing is lost, and only its hint says what to do.
    if (error.code() == ErrorCode::InvalidRequest && !error.hint().empty()) trouble += "; " + error.hint();
    if (trouble_ == trouble) return;
    trouble_ = std::move(trouble);
    log_->warn("archiving waits: {}", trouble_);
    tell([&](ArchiveListener& listener) { listener.trouble(trouble_); });
}

void ArchiverLoop::waitBeforeRetry() {
    sleepFor(stop_, retry_.next());
}

/// Also what was covered without a word to the destination, so that it knows as much as was told.
void ArchiverLoop::makeAllDurable() {
    round_->flush();
    if (round_->state().covered_scn > round_->state().checkpoint_scn) round_->checkpoint(round_->state().covered_scn);
}

void ArchiverLoop::handleInterruption() {
    try {
        if (round_ && round_->usable()) {
            makeAllDurable();
            report();
        }
    } catch (const Error& error) {
        log_->warn("what arrived before the interruption is not archived: {}", error.what());
    }
    round_.reset();
    log_->error("archiving is interrupted: {}", *interruption_);
    tell([&](ArchiveListener& listener) { listener.interrupted(*interruption_); });
    sleepUntilStopped(stop_);
}

/// Of a round that is at its end at the destination already, or was never begun there: of some of it the catalog may
/// never have heard.
void ArchiverLoop::reportClosed() {
    const RoundKey& key = options_.round.key;
    if (!destination_->stat(roundStartKey(key))) return;
    const ArchiveReader reader(*destination_, key);
    const RoundInfo& round = reader.round(key);
    ArchiveProgress progress{.round = {.start_scn = round.start.scn,
                                       .checkpoint_scn = round.checkpoint_scn,
                                       .covered_scn = std::max(covered_, round.checkpoint_scn),
                                       .base_piece_id = options_.round.base_piece_id},
                             .pieces = round.pieces,
                             .position = round.position,
                             .purge_before = {}};
    if (!round.pieces.empty()) progress.round.first_piece_id = round.pieces.front().key.piece;
    for (const PieceState& piece : round.pieces) {
        progress.round.max_scn = std::max(progress.round.max_scn, piece.max_scn);
        progress.round.input_bytes += piece.input_bytes;
        progress.round.output_bytes += piece.output_bytes;
        progress.round.used_piece_id = piece.key.piece;
    }
    tell([&](ArchiveListener& listener) { listener.progress(progress); });
}

void ArchiverLoop::finishRound() {
    bool open = round_ && round_->usable();
    try {
        if (ending_ == Ending::Flush && open) {
            makeAllDurable();
        } else if (ending_ == Ending::Close && open) {
            storeSettings();
            round_->close(interruption_.value_or("stopped"));
        } else if (ending_ == Ending::Close) {
            round_ = closeRound(*destination_, options_.round, interruption_.value_or("stopped"));
            open = round_ != nullptr;
            if (!open) reportClosed();
        }
        if (open && ending_ != Ending::Drop) report();
        if (ending_ == Ending::Close) storage::requireMounted(*destination_);
    } catch (const Error& error) {
        if (*left_) return;
        log_->warn("the end of the round is not written: {}", error.what());
        ending_failure_ = std::current_exception();
    }
}

}  // namespace tidemark::archive
