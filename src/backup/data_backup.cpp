#include "backup/data_backup.h"

#include <algorithm>
#include <unordered_set>

#include "base/crash_point.h"
#include "base/error.h"
#include "source/table_definition.h"

namespace tidemark::backup {
namespace {

constexpr std::string_view kDefinition = ".frm";

/// mariadb-backup calls a tablespace so that was made while it ran; the right name follows at the end.
constexpr std::string_view kNewTablespace = ".new";

DataPhase phaseOf(const std::string& path) {
    if (path.starts_with("aria_log")) return DataPhase::Server;
    return path.starts_with("ib_logfile") ? DataPhase::Redo : DataPhase::Tables;
}

std::string measuredPath(const std::string& path) {
    if (!path.ends_with(kNewTablespace)) return path;
    return path.substr(0, path.size() - kNewTablespace.size()) + ".ibd";
}

}  // namespace

DataBackup::DataBackup(source::Source& source, storage::Storage& storage, block::Lane& lane, DataBackupOptions options,
                       DataBackupProgress& progress)
    : source_(source), storage_(storage), lane_(lane), options_(std::move(options)), progress_(progress) {}

DataBackupResult DataBackup::run(std::stop_token stop) {
    backup_set::beginTurn(storage_, options_.set, options_.turn);
    crashPoint("backup.turn-begun");
    measure();
    // Stops the source when somebody cancels, and when storing fails while the source is silent.
    std::stop_source abort;
    const std::stop_callback cancel(stop, [&] { abort.request_stop(); });
    user_ = {.stop = abort.get_token(), .hurried = [this] { return source_.holdsUpTenant(); }};
    storage::Storage& storage = limitedStorage();
    block::BlockWriter writer(storage, lane_, writerOptions(storage), progress_.stored, abort);
    try {
        DataBackupResult result;
        result.facts = copy(writer, abort.get_token());
        requireWholeTables(writer);
        for (const block::StoredFile& file : writer.files())
            result.tablets += source::isTablet(file.path) ? 1 : 0;
        result.blocks = writer.finish();
        settleTotals();
        return result;
    } catch (const Error&) {
        writer.rethrowFailure();
        throw;
    }
}

block::BlockWriterOptions DataBackup::writerOptions(storage::Storage& storage) const {
    block::BlockWriterOptions options{.directory = backup_set::blockDirectory(options_.set, options_.turn),
                                      .set_id = options_.set.number,
                                      .turn = options_.turn,
                                      .data_file_size = options_.data_file_size,
                                      .scratch = options_.scratch,
                                      .key = options_.key};
    options.incremental = options_.set.kind == backup_set::SetKind::Incremental;
    if (options_.turn > 1) options.earlier = backup_set::objectsOfEarlierTurns(storage, options_.set, options_.turn);
    if (options_.parent) options.parent = backup_set::openBlocks(storage, *options_.parent, options_.key);
    return options;
}

storage::Storage& DataBackup::limitedStorage() {
    if (!options_.limits) return storage_;
    return throttled_.emplace(storage_, options_.limits->destination_reading, options_.limits->destination_writing,
                              user_);
}

void DataBackup::measure() {
    source::SourceTotals totals = source_.measure();
    progress_.total_bytes = totals.bytes;
    progress_.total_tablets = totals.tablets;
    unread_ = std::move(totals.sizes);
}

void DataBackup::enterPhaseOf(const std::string& path) {
    const DataPhase to = phaseOf(path);
    for (const DataPhase phase : {DataPhase::Server, DataPhase::Redo, DataPhase::Tables}) {
        if (phase > to || (phase_ && phase <= *phase_)) continue;
        phase_ = phase;
        options_.on_phase(phase);
    }
}

void DataBackup::expect(const std::string& path, std::uint64_t bytes) {
    const auto measured = unread_.find(measuredPath(path));
    if (measured == unread_.end()) {
        progress_.total_bytes += bytes;
        return;
    }
    const std::uint64_t known = std::min(measured->second, bytes);
    measured->second -= known;
    progress_.total_bytes += bytes - known;
}

void DataBackup::finishTablet() {
    if (progress_.finished_tablets == progress_.total_tablets) ++progress_.total_tablets;
    ++progress_.finished_tablets;
}

source::SourceFacts DataBackup::copy(block::BlockWriter& writer, std::stop_token stop) {
    source_.open(std::move(stop));
    while (const auto chunk = source_.next())
        take(*chunk, writer);
    return source_.finish();
}

void DataBackup::take(const source::Chunk& chunk, block::BlockWriter& writer) {
    using Kind = source::Chunk::Kind;
    switch (chunk.kind) {
        case Kind::Data:
            return takeData(chunk, writer);
        case Kind::End:
            return takeEnd(chunk.path, writer);
        case Kind::Rename:
            if (chunk.path.ends_with(kNewTablespace) && source::isTablet(chunk.new_path)) finishTablet();
            return writer.renameFile(chunk.path, chunk.new_path);
        case Kind::Remove:
            return writer.removeFile(chunk.path);
    }
}

void DataBackup::takeData(const source::Chunk& chunk, block::BlockWriter& writer) {
    const auto open = open_.find(chunk.path);
    const block::FileNumber file = open != open_.end() ? open->second : writer.beginFile(chunk.path, chunk.replaces);
    if (open == open_.end()) open_.emplace(chunk.path, file);
    enterPhaseOf(chunk.path);
    expect(chunk.path, chunk.size);
    for (std::uint64_t done = 0; done < chunk.size;) {
        const std::span<std::uint8_t> room = writer.reserve(file, chunk.offset + done);
        const std::size_t size = std::min<std::uint64_t>(room.size(), chunk.size - done);
        if (options_.limits) options_.limits->source_reading.take(size, user_);
        lane_.hurry(source_.holdsUpTenant());
        source_.read(room.first(size));
        noteDefinition(chunk, file, room.first(size));
        writer.commit(file, chunk.offset + done, size);
        done += size;
        progress_.read_bytes += size;
    }
}

void DataBackup::takeEnd(const std::string& path, block::BlockWriter& writer) {
    const auto open = open_.find(path);
    // A file without a byte has nothing but its end, also when it takes the place of another.
    writer.endFile(open != open_.end() ? open->second : writer.beginFile(path, true));
    if (open != open_.end()) open_.erase(open);
    if (source::isTablet(path)) finishTablet();
}

void DataBackup::noteDefinition(const source::Chunk& chunk, block::FileNumber file, ByteView begin) {
    if (chunk.offset != 0 || !chunk.path.ends_with(kDefinition) || begin.size() < source::kDefinitionHead) return;
    const auto endings = source::tableFiles(begin);
    if (!endings.empty()) definitions_.try_emplace(file, endings);
}

/// A table that has lost its data in the tenant itself is copied as it is. It lacked it before the copy and lacks it
/// now: at one moment alone it may be a table that is just being made, renamed or dropped.
bool DataBackup::isLost(const std::string& definition, const std::string& data) const {
    const bool lacked = unread_.contains(definition) && !unread_.contains(data);
    return lacked && source_.has(definition) && !source_.has(data);
}

void DataBackup::requireWholeTables(const block::BlockWriter& writer) const {
    const std::vector<block::StoredFile> files = writer.files();
    std::unordered_set<std::string> paths;
    for (const block::StoredFile& file : files)
        paths.insert(file.path);
    for (const block::StoredFile& file : files) {
        const auto definition = definitions_.find(file.number);
        // The server drops tables with such names when it starts: an ALTER was at work.
        if (definition == definitions_.end() || file.path.find("#sql") != std::string::npos) continue;
        const std::string table = file.path.substr(0, file.path.size() - kDefinition.size());
        for (const std::string_view ending : definition->second) {
            const std::string path = table + std::string(ending);
            if (paths.contains(path) || isLost(file.path, path)) continue;
            throw Error(ErrorCode::Unavailable,
                        "table " + table + " was made and renamed during the backup, and mariadb-backup left out its " +
                            std::string(ending) + " file",
                        "run the backup again, if possible while no Aria or MyISAM table is made and renamed");
        }
    }
}

void DataBackup::settleTotals() {
    progress_.total_bytes = progress_.read_bytes.load();
    progress_.total_tablets = progress_.finished_tablets.load();
}

}  // namespace tidemark::backup
