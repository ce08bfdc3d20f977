#include "archive/records.h"

#include <algorithm>

#include "base/error.h"
#include "storage/document.h"

namespace tidemark::archive {
namespace {

using nlohmann::json;
using storage::takeField;

constexpr storage::DocumentType kRoundStart{"log archive round start", 1};
constexpr storage::DocumentType kRoundEnd{"log archive round end", 1};
constexpr storage::DocumentType kSettings{"log archive settings", 1};
constexpr storage::DocumentType kPiece{"log archive piece", 1};
constexpr storage::DocumentType kCheckpoint{"log archive checkpoint", 1};
constexpr storage::DocumentType kPieceFiles{"log archive piece files", 1};

/// Where a record was found, and the version that wrote it.
struct Origin {
    std::string object;
    int version = 0;
};

mysql::GtidPosition positionIn(const json& content, const char* field, const Origin& from) {
    try {
        return mysql::GtidPosition::parse(takeField<std::string>(content, field));
    } catch (const Error& error) {
        throw Error(ErrorCode::Corrupt, from.object + ": " + error.what());
    }
}

/// The round that a record is of must be the one that its object's name says.
void takeRound(const json& content, RoundKey& into, const RoundKey& expected, const Origin& from) {
    takeField(content, "dest_id", into.dest);
    takeField(content, "round_id", into.round);
    if (into != expected) throw Error(ErrorCode::Corrupt, from.object + " is of " + nameOf(into));
}

/// Reads a document and hands `read` its content and where that comes from.
template <typename Read>
auto readRecord(const storage::DocumentType& type, storage::Storage& storage, const storage::Key& key, Read read) {
    const storage::Document document = storage::openDocument(type, storage, key);
    const Origin from{storage.url() + "/" + key, document.version};
    return storage::readFields(from.object, [&] { return read(document.content, from); });
}

}  // namespace

void putRecord(storage::Storage& storage, const RoundStart& record) {
    const json content = {{"dest_id", record.key.dest},
                          {"round_id", record.key.round},
                          {"tenant_id", record.tenant_id},
                          {"base_piece_id", record.base_piece_id},
                          {"start_scn", record.scn},
                          {"start_gtid", record.position.text()},
                          {"piece_interval", record.piece_interval}};
    storage.put(roundStartKey(record.key), storage::sealDocument(kRoundStart, content));
}

RoundStart readRoundStart(storage::Storage& storage, const RoundKey& round) {
    return readRecord(kRoundStart, storage, roundStartKey(round), [&](const json& in, const Origin& from) {
        RoundStart record;
        takeRound(in, record.key, round, from);
        takeField(in, "tenant_id", record.tenant_id);
        takeField(in, "base_piece_id", record.base_piece_id);
        takeField(in, "start_scn", record.scn);
        record.position = positionIn(in, "start_gtid", from);
        takeField(in, "piece_interval", record.piece_interval);
        return record;
    });
}

void putRecord(storage::Storage& storage, const RoundEnd& record) {
    const json content = {{"dest_id", record.key.dest},
                          {"round_id", record.key.round},
                          {"checkpoint_scn", record.checkpoint_scn},
                          {"used_piece_id", record.used_piece_id},
                          {"end_gtid", record.position.text()},
                          {"reason", record.reason}};
    storage.put(roundEndKey(record.key), storage::sealDocument(kRoundEnd, content));
}

RoundEnd readRoundEnd(storage::Storage& storage, const RoundKey& round) {
    return readRecord(kRoundEnd, storage, roundEndKey(round), [&](const json& in, const Origin& from) {
        RoundEnd record;
        takeRound(in, record.key, round, from);
        takeField(in, "checkpoint_scn", record.checkpoint_scn);
        takeField(in, "used_piece_id", record.used_piece_id);
        record.position = positionIn(in, "end_gtid", from);
        takeField(in, "reason", record.reason);
        return record;
    });
}

void putRecord(storage::Storage& storage, const SettingsRecord& record) {
    const storage::Key key = settingsKey(record.key, record.scn);
    if (storage.stat(key)) return;
    const json content = {{"dest_id", record.key.dest},
                          {"round_id", record.key.round},
                          {"scn", record.scn},
                          {"gtid", record.position.text()},
                          {"tenant_settings", record.settings}};
    storage.put(key, storage::sealDocument(kSettings, content));
}

std::vector<SettingsRecord> readSettings(storage::Storage& storage, const RoundKey& round) {
    std::vector<SettingsRecord> records;
    for (const auto& object : storage.list(settingsPrefix(round))) {
        if (!parseSettings(round, object.key)) continue;
        records.push_back(readRecord(kSettings, storage, object.key, [&](const json& in, const Origin& from) {
            SettingsRecord record;
            takeRound(in, record.key, round, from);
            takeField(in, "scn", record.scn);
            record.position = positionIn(in, "gtid", from);
            takeField(in, "tenant_settings", record.settings);
            return record;
        }));
    }
    std::ranges::sort(records, {}, &SettingsRecord::scn);
    return records;
}

void putRecord(storage::Storage& storage, const storage::Key& key, const PieceRecord& record) {
    const PieceState& piece = record.state;
    const json content = {
        {"dest_id", piece.key.dest},     {"round_id", piece.key.round},      {"piece_id", piece.key.piece},
        {"start_scn", piece.start_scn},  {"end_scn", piece.end_scn},         {"checkpoint_scn", piece.checkpoint_scn},
        {"max_scn", piece.max_scn},      {"input_bytes", piece.input_bytes}, {"output_bytes", piece.output_bytes},
        {"files", piece.files},          {"frozen", piece.frozen},           {"start_gtid", record.start.text()},
        {"end_gtid", record.end.text()}, {"first_file", piece.first_file}};
    storage.put(key, storage::sealDocument(kPiece, content));
}

PieceRecord readPiece(storage::Storage& storage, const storage::Key& key, const PieceKey& expected) {
    return readRecord(kPiece, storage, key, [&](const json& in, const Origin& from) {
        PieceRecord record;
        PieceState& piece = record.state;
        takeField(in, "dest_id", piece.key.dest);
        takeField(in, "round_id", piece.key.round);
        takeField(in, "piece_id", piece.key.piece);
        if (piece.key != expected) throw Error(ErrorCode::Corrupt, from.object + " is of " + nameOf(piece.key));
        takeField(in, "start_scn", piece.start_scn);
        takeField(in, "end_scn", piece.end_scn);
        takeField(in, "checkpoint_scn", piece.checkpoint_scn);
        takeField(in, "max_scn", piece.max_scn);
        takeField(in, "input_bytes", piece.input_bytes);
        takeField(in, "output_bytes", piece.output_bytes);
        takeField(in, "files", piece.files);
        takeField(in, "frozen", piece.frozen);
        if (in.contains("first_file")) takeField(in, "first_file", piece.first_file);  // came later
        record.start = positionIn(in, "start_gtid", from);
        record.end = positionIn(in, "end_gtid", from);
        return record;
    });
}

void putCheckpoint(storage::Storage& storage, const PieceKey& piece, Scn scn, const mysql::GtidPosition& position,
                   std::uint64_t files) {
    const json content = {{"checkpoint_scn", scn}, {"gtid", position.text()}, {"files", files}};
    storage.put(checkpointKey(piece, scn), storage::sealDocument(kCheckpoint, content));
}

std::uint64_t readCheckpointFiles(storage::Storage& storage, const storage::Key& key) {
    return readRecord(kCheckpoint, storage, key,
                      [](const json& in, const Origin&) { return takeField<std::uint64_t>(in, "files"); });
}

void putPieceFiles(storage::Storage& storage, const PieceState& piece) {
    const json content = {{"logstreams", {{{"id", 1}, {"files", piece.files}, {"bytes", piece.output_bytes}}}}};
    storage.put(pieceFilesKey(piece.key), storage::sealDocument(kPieceFiles, content));
}

}  // namespace tidemark::archive
