#include "backup/data_backup.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "source/table_definition.h"

namespace tidemark::backup {
namespace {

constexpr std::string_view kDefinition = ".frm";

DataPhase phaseOf(const std::string& path) {
    // The redo log comes along with everything else.
    if (path.starts_with("ib_logfile")) return DataPhase::Starting;
    if (path.starts_with("ibdata") || path.starts_with("undo")) return DataPhase::System;
    if (!path.ends_with(".ibd")) return DataPhase::OtherFiles;
    return path.starts_with("mysql/") ? DataPhase::System : DataPhase::UserTables;
}

void advance(std::atomic<DataPhase>& phase, DataPhase to) {
    if (phase.load() < to) phase = to;
}

}  // namespace

DataBackup::DataBackup(source::Source& source, storage::Storage& storage, DataBackupOptions options,
                       DataBackupProgress& progress)
    : source_(source), storage_(storage), options_(options), progress_(progress) {}

DataBackupResult DataBackup::run(std::stop_token stop) {
    block::beginBackupSet(storage_, options_.set);
    measure();
    // Stops the source when somebody cancels, and when storing fails while the source is silent.
    std::stop_source abort;
    const std::stop_callback cancel(stop, [&] { abort.request_stop(); });
    block::BlockWriter writer(storage_,
                              {.directory = block::blockDirectory(options_.set),
                               .set_id = options_.set.number,
                               .data_file_size = options_.data_file_size,
                               .workers = options_.workers},
                              progress_.stored, abort);
    try {
        DataBackupResult result;
        result.facts = copy(writer, abort.get_token());
        requireWholeTables(writer);
        result.blocks = writer.finish();
        settleTotals();
        result.tablets = progress_.finished_tablets;
        return result;
    } catch (const Error&) {
        writer.rethrowFailure();
        throw;
    }
}

void DataBackup::measure() {
    const source::SourceTotals totals = source_.measure();
    progress_.total_bytes = totals.bytes;
    progress_.total_files = totals.files;
    progress_.total_tablets = totals.tablets;
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
            return writer.renameFile(chunk.path, chunk.new_path);
        case Kind::Remove:
            return writer.removeFile(chunk.path);
    }
}

void DataBackup::takeData(const source::Chunk& chunk, block::BlockWriter& writer) {
    const auto open = open_.find(chunk.path);
    const block::FileNumber file = open != open_.end() ? open->second : writer.beginFile(chunk.path, chunk.replaces);
    if (open == open_.end()) open_.emplace(chunk.path, file);
    advance(progress_.phase, phaseOf(chunk.path));
    for (std::uint64_t done = 0; done < chunk.size;) {
        const std::span<std::uint8_t> room = writer.reserve(file, chunk.offset + done);
        const std::size_t size = std::min<std::uint64_t>(room.size(), chunk.size - done);
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
    ++progress_.finished_files;
    if (source::isTablet(path)) ++progress_.finished_tablets;
}

void DataBackup::noteDefinition(const source::Chunk& chunk, block::FileNumber file, ByteView begin) {
    if (chunk.offset != 0 || !chunk.path.ends_with(kDefinition) || begin.size() < source::kDefinitionHead) return;
    const auto endings = source::tableFiles(begin);
    if (!endings.empty()) definitions_.try_emplace(file, endings);
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
            // A table that has lost its data in the tenant itself is copied as it is.
            const bool lost_before = source_.has(file.path) && !source_.has(path);
            if (paths.contains(path) || lost_before) continue;
            throw Error(ErrorCode::Unavailable,
                        "table " + table + " was made and renamed during the backup, and mariadb-backup left out its " +
                            std::string(ending) + " file",
                        "run the backup again, if possible while no Aria or MyISAM table is made and renamed");
        }
    }
}

void DataBackup::settleTotals() {
    progress_.total_bytes = progress_.read_bytes.load();
    progress_.total_files = progress_.finished_files.load();
    progress_.total_tablets = progress_.finished_tablets.load();
    progress_.phase = DataPhase::Done;
}

}  // namespace tidemark::backup
