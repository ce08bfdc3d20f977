#include "testing/archived_server.h"

#include <fmt/format.h>

#include "archive/archive_reader.h"
#include "storage/destination.h"

namespace tidemark::testing {

void RecordingListener::progress(const archive::ArchiveProgress& progress) {
    const MutexLock lock(mutex_);
    seen_.progress = progress;
    if (progress.purge_before.empty()) ++seen_.unnamed;
    changed_.notifyAll();
}

void RecordingListener::interrupted(const std::string& reason) {
    const MutexLock lock(mutex_);
    seen_.interruption = reason;
    changed_.notifyAll();
}

void RecordingListener::trouble(const std::string& text) {
    const MutexLock lock(mutex_);
    seen_.trouble = text;
    ++seen_.troubles;
    changed_.notifyAll();
}

void RecordingListener::recovered() {
    const MutexLock lock(mutex_);
    seen_.trouble.clear();
    ++seen_.recoveries;
    changed_.notifyAll();
}

RecordingListener::Seen RecordingListener::seen() const {
    const MutexLock lock(mutex_);
    return seen_;
}

RecordingListener::Seen RecordingListener::await(const std::string& what,
                                                 const std::function<bool(const Seen&)>& condition) const {
    MutexLock lock(mutex_);
    if (changed_.waitFor(lock, std::chrono::seconds(60), [&]() REQUIRES(mutex_) { return condition(seen_); }))
        return seen_;
    throw Error(ErrorCode::Internal,
                fmt::format("waited in vain for: {}; trouble '{}', interruption '{}', checkpoint {}", what,
                            seen_.trouble, seen_.interruption, seen_.progress.round.checkpoint_scn));
}

ArchivedServer::ArchivedServer(storage::Storage& storage, std::vector<std::string> server_options)
    : server(std::move(server_options)), storage_(storage) {
    if (!storage.stat(storage::kMarkerKey)) storage.put(storage::kMarkerKey, viewOf("a destination"));
    options.tenant = server.endpoint();
    options.server_id = 901;
    options.round = {{1001, 1}, 1002, 1};
    options.tenant_name = "acme";
    options.lag_target = std::chrono::milliseconds(50);
    options.retry_longest = std::chrono::milliseconds(1000);
}

void ArchivedServer::startArchiver() {
    archiver_ = std::make_unique<archive::Archiver>(
        options, std::shared_ptr<storage::Storage>(std::shared_ptr<void>(), &storage_), clock, listener);
    archiver_->start();
    listener.await("the round to begin", [](const auto& seen) { return seen.progress.round.start_scn != 0; });
}

void ArchivedServer::abandonArchiver() {
    archiver_->abandon();
    archiver_.reset();
}

void ArchivedServer::stopArchiver() {
    archiver_->stop();
    archiver_.reset();
}

mysql::GtidPosition ArchivedServer::position() const {
    return mysql::GtidPosition::parse(server.connect().scalar("SELECT @@gtid_binlog_pos").value_or(""));
}

void ArchivedServer::awaitArchived() {
    const auto wanted = position();
    listener.await("everything to be archived", [&](const auto& seen) {
        if (!seen.interruption.empty()) throw Error(ErrorCode::Internal, "interrupted: " + seen.interruption);
        return archive::ArchiveReader(storage_).rounds().at(0).position.contains(wanted);
    });
}

}  // namespace tidemark::testing
