#include "source/mariadb_backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/open_files.h"
#include "base/require_going.h"
#include "base/file.h"
#include "base/program.h"
#include "mysql/option_file.h"
#include "source/backup_log.h"
#include "source/copyable.h"
#include "source/data_directory.h"
#include "source/preload.h"
#include "source/private_directory.h"
#include "source/small_reads.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;

/// Names of the small files that describe the copy; 10.11 and 11.x differ in the first word.
bool describesCopy(const std::string& path) {
    for (const char* first : {"xtrabackup_", "mariadb_backup_"}) {
        for (const char* rest : {"info", "binlog_info", "checkpoints"}) {
            if (path == std::string(first) + rest) return true;
        }
    }
    return false;
}

constexpr std::size_t kLargestInfo = 64 << 10;

/// What mariadb-backup lists pages in whose checksum stayed wrong after ten looks. It is not stored: --prepare would
/// refuse what it cannot mend of them.
constexpr const char* kWrongPages = "innodb_corrupted_pages";
constexpr std::size_t kLargestWrongPages = 1 << 20;

}  // namespace

MariadbBackupSource::MariadbBackupSource(MariadbBackupOptions options) : options_(std::move(options)) {}

MariadbBackupSource::~MariadbBackupSource() {
    guard_.reset();
    on_stop_.reset();
    ahead_.reset();
}

SourceTotals MariadbBackupSource::measure() {
    return measureDataDirectory(options_.data_directory);
}

bool MariadbBackupSource::has(const std::string& path) const {
    std::error_code unknown;
    return fs::exists(options_.data_directory / path, unknown);
}

fs::path MariadbBackupSource::logFile() const {
    return directory_->path() / "log";
}

fs::path MariadbBackupSource::smallReads() const {
    fs::path library = directory_->path() / "small_reads.so";
    replaceFile(library, textOf(smallReadsLibrary()), 0500);
    return library;
}

Command MariadbBackupSource::command() const {
    Command command;
    // mariadb-backup wants --defaults-file first; with it, it reads none of the host's own option files. It copies the
    // redo log in a loop: --log-copy-interval lets the loop look for more every 10 ms instead of every second, because
    // the tenant's commits wait for its last turn. A page whose checksum is wrong does not end the copy: such a table
    // is a reason to have a backup, not to have none.
    command.arguments = {"mariadb-backup",
                         "--defaults-file=/dev/stdin",
                         "--backup",
                         "--stream=mbstream",
                         "--parallel=2",
                         "--log-copy-interval=10",
                         "--log-innodb-page-corruption",
                         "--datadir=" + options_.data_directory.string(),
                         "--target-dir=" + directory_->path().string(),
                         "--tmpdir=" + directory_->path().string(),
                         "--open-files-limit=" + std::to_string(openFilesLimit())};
    command.input = mysql::optionFile("mariadb-backup", options_.endpoint);
    command.stderr_file = logFile();
    command.stdout_is_read = true;
    command.environment = {preloading(smallReads())};
    command.file_access = accessOf("mariadb-backup", {directory_->path()});
    command.file_access->readable.push_back(options_.data_directory);
    command.priority = Priority::Background;
    return command;
}

void MariadbBackupSource::open(std::stop_token stop) {
    stop_ = std::move(stop);
    throwIfStopped();
    requireCopyable(options_.data_directory);
    directory_ = std::make_unique<PrivateDirectory>(options_.work_directory);
    {
        // mariadb-backup gives up when its login is refused. SqlClient does not: its login repairs the account first
        // (mysql::AccountGuard).
        const mysql::SqlClient account(options_.endpoint);
    }
    ahead_.emplace(options_.data_directory);
    child_ = std::make_unique<Child>(command());
    on_stop_.emplace(stop_, [this] { child_->kill(SIGKILL); });
    guard_.emplace(logFile(), options_.limits, arrived_, [this] { child_->kill(SIGKILL); });
    parser_.emplace([this](std::span<std::uint8_t> into) { return pull(into); });
}

void MariadbBackupSource::throwIfStopped() const {
    requireGoing(stop_, "the backup was cancelled");
}

std::size_t MariadbBackupSource::pull(std::span<std::uint8_t> into) {
    for (;;) {
        const ssize_t got = ::read(child_->output(), into.data(), into.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throwErrno(errno, "reading from mariadb-backup");
        throwIfStopped();
        stream_ended_ = got == 0;
        arrived_ += static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
    }
}

/// Runs `work`, which reads the stream. A stream that breaks off looks damaged to the parser; then the error that is
/// thrown tells how mariadb-backup ended, which is the cause.
template <typename Work>
auto MariadbBackupSource::explained(Work work) {
    try {
        return work();
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Corrupt && stream_ended_) throwEndedEarly();
        throw;
    }
}

/// The next chunk of a file that belongs to the copy.
std::optional<Chunk> MariadbBackupSource::nextOfSet() {
    for (;;) {
        std::optional<Chunk> chunk = parser_->next();
        if (!chunk || chunk->path != kWrongPages) return chunk;
        if (chunk->kind == Chunk::Kind::Data) takeWrongPages(chunk->size);
    }
}

void MariadbBackupSource::takeWrongPages(std::uint64_t size) {
    Bytes part(64 << 10);
    for (std::uint64_t left = size; left > 0;) {
        const auto into = std::span(part).first(std::min<std::uint64_t>(left, part.size()));
        parser_->read(into);
        left -= into.size();
        if (wrong_pages_.size() + into.size() <= kLargestWrongPages) wrong_pages_ += textOf(into);
    }
}

std::optional<Chunk> MariadbBackupSource::next() {
    return explained([&] {
        std::optional<Chunk> chunk = nextOfSet();
        current_ = chunk && describesCopy(chunk->path) ? chunk->path : "";
        return chunk;
    });
}

void MariadbBackupSource::read(std::span<std::uint8_t> into) {
    explained([&] { parser_->read(into); });
    if (current_.empty()) return;
    std::string& content = info_[current_];
    if (content.size() + into.size() <= kLargestInfo) content += textOf(into);
}

ExitStatus MariadbBackupSource::waitForEnd() {
    // The stop callback kills the child from another thread. It must be gone before this thread reaps the child.
    on_stop_.reset();
    ended_in_ = guard_->stop();
    for (;;) {
        if (const auto status = child_->waitFor(std::chrono::milliseconds(50))) return *status;
        throwIfStopped();
    }
}

void MariadbBackupSource::throwIfEndedByGuard() const {
    constexpr const char* kHint =
        "the destination takes data too slowly, or not at all; see to it and run the backup again";
    if (ended_in_ == Stage::WaitsToBegin) {
        // Unavailable, since the backup may be tried again at once: the statements that queued behind its lock have run
        // by then.
        throw Error(
            ErrorCode::Unavailable,
            fmt::format("the copy could not begin within {} ms: a session of the tenant has LOCK TABLES, or runs DDL",
                        options_.limits.beginning.count()),
            "see SHOW PROCESSLIST of the tenant; run the backup again when that has ended");
    }
    if (ended_in_ == Stage::HoldsCommits) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("the copy held up the tenant's commits for {} ms and was ended",
                                options_.limits.commits.count()),
                    kHint);
    }
    if (ended_in_ == Stage::HoldsDdl) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("the copy held up the tenant's DDL for {} ms while none of it arrived, and was ended",
                                options_.limits.stalled.count()),
                    kHint);
    }
}

void MariadbBackupSource::throwEndedEarly() {
    const ExitStatus status = waitForEnd();
    throwIfEndedByGuard();
    const std::string complaint = complaintOf(logFile());
    throw Error(ErrorCode::Unavailable, "mariadb-backup ended before the copy was complete, with " + status.text() +
                                            (complaint.empty() ? "" : ": " + complaint));
}

SourceFacts MariadbBackupSource::finish() {
    throwIfStopped();
    const ExitStatus status = waitForEnd();
    if (!status.ok() || parser_->openFiles() > 0 || !completedOk(logFile())) throwEndedEarly();
    SourceFacts facts = parseInfoFiles(info_);
    parseWrongPages(wrong_pages_, facts);
    return facts;
}

}  // namespace tidemark::source
