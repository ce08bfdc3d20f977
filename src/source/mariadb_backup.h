#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>

#include "base/process.h"
#include "mysql/sql_client.h"
#include "source/mbstream.h"
#include "source/read_ahead.h"
#include "source/source.h"
#include "source/stage_guard.h"

namespace tidemark::source {

class PrivateDirectory;

struct MariadbBackupOptions {
    std::filesystem::path data_directory;  ///< of the tenant
    mysql::Endpoint endpoint;              ///< socket, user and password of an account with all privileges
    std::filesystem::path work_directory;  ///< where a private directory for log and library is made; empty: /tmp
    StageLimits limits;                    ///< of waiting for the tenant and of holding it up
};

/// Streams a running tenant by mariadb-backup, a separate process. The process dies with us, and the tenant then frees
/// its locks at once, since they belong to its connection.
class MariadbBackupSource : public Source {
public:
    explicit MariadbBackupSource(MariadbBackupOptions options);
    ~MariadbBackupSource() override;

    SourceTotals measure() override;
    /// Throws NotFound if mariadb-backup is not installed, Conflict for a tenant that it is known to fail on.
    void open(std::stop_token stop) override;
    /// next and read throw Unavailable, with what mariadb-backup said last, if it ended early, or if it was ended
    /// because it could not begin; Conflict if it was ended because it held up the tenant.
    std::optional<Chunk> next() override;
    void read(std::span<std::uint8_t> into) override;
    SourceFacts finish() override;
    bool has(const std::string& path) const override;
    bool holdsUpTenant() const override { return guard_ && guard_->holdsUp(); }

    /// The process id while it runs, for tests that do it harm; 0 otherwise.
    pid_t pid() const { return child_ ? child_->pid() : 0; }

private:
    Command command() const;
    std::size_t pull(std::span<std::uint8_t> into);
    std::optional<Chunk> nextOfSet();
    void takeWrongPages(std::uint64_t size);
    template <typename Work>
    auto explained(Work work);
    ExitStatus waitForEnd();
    void throwIfStopped() const;
    [[noreturn]] void throwEndedEarly();
    void throwIfEndedByGuard() const;
    std::filesystem::path logFile() const;
    std::filesystem::path smallReads() const;

    const MariadbBackupOptions options_;
    std::unique_ptr<PrivateDirectory> directory_;
    std::stop_token stop_;
    std::optional<ReadAhead> ahead_;
    std::unique_ptr<Child> child_;
    std::optional<std::stop_callback<std::function<void()>>> on_stop_;
    std::atomic<std::uint64_t> arrived_ = 0;  ///< bytes of the stream
    std::optional<StageGuard> guard_;
    Stage ended_in_ = Stage::Harmless;  ///< by the guard
    std::optional<MbstreamParser> parser_;
    bool stream_ended_ = false;
    std::string current_;                      ///< path of the chunk that is being read
    std::map<std::string, std::string> info_;  ///< content of the small files that describe the copy
    std::string wrong_pages_;                  ///< its list of pages whose checksum is wrong
};

/// What the files that mariadb-backup writes at the end say. `info` maps their names (xtrabackup_… or mariadb_backup_…)
/// to their content.
SourceFacts parseInfoFiles(const std::map<std::string, std::string>& info);

/// Fills in what its list of pages says whose checksum is wrong. A list that is cut off is read as far as it goes.
void parseWrongPages(const std::string& list, SourceFacts& facts);

}  // namespace tidemark::source
