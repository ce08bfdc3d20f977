#include "archive/archiver.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "archive/group_receiver.h"
#include "base/error.h"
#include "mysql/dump_client.h"
#include "storage/destination.h"

namespace tidemark::archive {
namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t kFlushSize = 8 << 20;             // raw bytes pending that make a segment
constexpr std::chrono::milliseconds kIdleShortest{1000};  // first idle checkpoint after data, then doubling
constexpr std::chrono::milliseconds kRetryShortest{1000};
constexpr Nanos kClockTick = kMillisecond;  // within which SCNs only count up: past before anything is durable
constexpr int kReplicationRefused = 1236;   // ER_MASTER_FATAL_ERROR_READING_BINLOG
constexpr int kRefusalsToBelieve = 2;       // one may come from a server that is just going down

}  // namespace

/// One connection to the tenant, from login to loss.
struct Archiver::Session {
    mysql::WireClient admin;
    std::optional<mysql::DumpClient> dump;
    std::optional<GroupReceiver> receiver;
    steady_clock::time_point oldest_pending{};  // arrival of the first transaction that is not durable
    std::chrono::milliseconds idle_interval = kIdleShortest;
    steady_clock::time_point idle_due = steady_clock::now();
};

Archiver::Archiver(ArchiverOptions options, storage::Storage& destination, const Clock& clock,
                   ArchiveListener& listener)
    : options_(std::move(options)),
      destination_(destination),
      clock_(clock),
      listener_(listener),
      log_(makeLogger("archive tenant=" + options_.tenant_name)),
      durable_checkpoint_(options_.known_checkpoint),
      retry_after_(kRetryShortest) {}

Archiver::~Archiver() {
    end(Ending::Drop);
}

void Archiver::start() {
    thread_ = std::jthread([this](std::stop_token stop) {
        stop_ = std::move(stop);
        run();
    });
}

void Archiver::end(Ending ending) {
    if (!thread_.joinable()) return;
    ending_ = ending;
    thread_.request_stop();
    thread_.join();
}

void Archiver::abandon() {
    end(Ending::Flush);
}

void Archiver::stop() {
    end(Ending::Close);
    if (ending_failure_) std::rethrow_exception(ending_failure_);
}

std::optional<std::string> Archiver::safeToPurgeBefore() const {
    const std::lock_guard lock(mutex_);
    return purge_before_.empty() ? std::nullopt : std::optional(purge_before_);
}

void Archiver::run() {
    pthread_setname_np(pthread_self(), "archiver");
    while (!stop_.stop_requested() && !interruption_) {
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
}

/// Connects, opens the round behind what is durable, and follows the binlog until something fails.
void Archiver::runSession() {
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

void Archiver::openRound(Session& session) {
    const auto start = [&] {
        if (durable_checkpoint_ != 0) {
            throw Error(ErrorCode::Unavailable,
                        fmt::format("{} has no {}", destination_.url(), nameOf(options_.round.key)),
                        "is the destination mounted?");
        }
        // The time first: whatever is committed before it is in the position.
        const auto scn = static_cast<Scn>(clock_.now());
        const auto position = session.admin.query("SELECT @@gtid_binlog_pos").value_or("");
        return RoundWriter::StartPoint{scn, mysql::GtidPosition::parse(position)};
    };
    try {
        round_ = std::make_unique<RoundWriter>(destination_, options_.round, start);
    } catch (const Error& error) {
        // What is at the destination is the only truth about what was archived: without it there is no going on.
        const bool final = error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::Conflict ||
                           error.code() == ErrorCode::InvalidRequest;
        if (final) throw Interruption(error.what());
        throw;
    }
    if (round_->state().checkpoint_scn < durable_checkpoint_) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("{} shows {} archived up to {} only, not to {}", destination_.url(),
                                nameOf(options_.round.key), round_->state().checkpoint_scn, durable_checkpoint_));
    }
    requireClock();
    report();
}

/// A clock that was ahead for a moment, or is not set yet after a start of the machine; or an archive of a version that
/// took SCNs from what sessions told. Going on would give whatever is committed now times of that future, and a restore
/// to a time would leave it out without a word.
void Archiver::requireClock() const {
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
auto Archiver::askTenant(Ask ask) {
    try {
        return ask();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Cancelled) round_->flush();
        throw;
    }
}

void Archiver::follow(Session& session) {
    GroupReceiver& receiver = *session.receiver;
    for (;;) {
        const bool was_pending = round_->pending();
        const auto due = was_pending ? session.oldest_pending + options_.lag_target : session.idle_due;
        const auto part = askTenant([&] { return session.dump->next(due); });
        if (part) {
            requireClock();
            receiver.take(*part);
        }
        const auto now = steady_clock::now();
        if (round_->pending() && !was_pending) session.oldest_pending = now;
        if (receiver.insideTransaction()) continue;
        const bool lags = round_->pending() && now >= session.oldest_pending + options_.lag_target;
        if (lags || round_->pendingBytes() >= kFlushSize) {
            flush(session);
        } else if (!round_->pending() && now >= session.idle_due) {
            checkpointIfIdle(session);
        }
    }
}

void Archiver::flush(Session& session) {
    requireClock();
    round_->flush();
    session.idle_interval = kIdleShortest;
    session.idle_due = steady_clock::now() + kIdleShortest;
    noteDurable(session);
}

/// Nothing is pending: if the stream has delivered all there is, everything up to now is durable.
void Archiver::checkpointIfIdle(Session& session) {
    session.idle_due = steady_clock::now() + session.idle_interval;
    requireClock();
    const auto time = static_cast<Scn>(clock_.now());
    const auto written = mysql::GtidPosition::parse(session.admin.query("SELECT @@gtid_binlog_pos").value_or(""));
    if (!round_->position().contains(written) || time <= round_->lastScn()) return;
    round_->checkpoint(time);
    session.idle_interval = std::min(session.idle_interval * 2, options_.idle_longest);
    noteDurable(session);
}

/// Everything that has arrived is durable: both sides work.
void Archiver::noteDurable(const Session& session) {
    report(session.receiver->binlogFile());
    refusals_ = 0;
    retry_after_ = kRetryShortest;
    if (!std::exchange(trouble_, {}).empty()) {
        log_->info("archiving goes on, durable up to {}", round_->position().text());
        listener_.recovered();
    }
}

/// Not durable is what was written where no destination is; the next session begins behind what really is there.
void Archiver::report(const std::optional<std::string>& purge_before) {
    storage::requireMounted(destination_);
    // After a connection it is not known before the stream has named the file.
    if (purge_before && !purge_before->empty()) {
        const std::lock_guard lock(mutex_);
        purge_before_ = *purge_before;
    }
    durable_checkpoint_ = round_->state().checkpoint_scn;
    listener_.progress({round_->state(), round_->takeChangedPieces(), safeToPurgeBefore().value_or("")});
}

void Archiver::handleFailure(const Error& error) {
    const bool refused = error.sql() && error.sql()->number == kReplicationRefused;
    refusals_ = refused ? refusals_ + 1 : 0;
    if (refusals_ >= kRefusalsToBelieve) {
        interruption_ = error.what();
        return;
    }
    if (trouble_ == error.what()) return;
    trouble_ = error.what();
    log_->warn("archiving waits: {}", trouble_);
    listener_.trouble(trouble_);
}

void Archiver::waitBeforeRetry() {
    std::unique_lock lock(mutex_);
    stopping_.wait_for(lock, stop_, retry_after_, [] { return false; });
    retry_after_ = std::min(retry_after_ * 2, options_.retry_longest);
}

void Archiver::handleInterruption() {
    try {
        if (round_ && round_->usable()) {
            round_->flush();
            report();
        }
    } catch (const Error& error) {
        log_->warn("what arrived before the interruption is not archived: {}", error.what());
    }
    round_.reset();
    log_->error("archiving is interrupted: {}", *interruption_);
    retry_after_ = kRetryShortest;
    while (!stop_.stop_requested() && !listener_.interrupted(*interruption_))
        waitBeforeRetry();
    std::unique_lock lock(mutex_);
    stopping_.wait(lock, stop_, [] { return false; });
}

void Archiver::finishRound() {
    const bool open = round_ && round_->usable();
    try {
        if (ending_ == Ending::Flush && open) {
            round_->flush();
        } else if (ending_ == Ending::Close && open) {
            round_->close(interruption_.value_or("stopped"));
        } else if (ending_ == Ending::Close) {
            closeRound(destination_, options_.round, interruption_.value_or("stopped"));
        }
        if (open && ending_ != Ending::Drop) report();
        if (ending_ == Ending::Close) storage::requireMounted(destination_);
    } catch (const Error& error) {
        log_->warn("the end of the round is not written: {}", error.what());
        ending_failure_ = std::current_exception();
    }
}

}  // namespace tidemark::archive
