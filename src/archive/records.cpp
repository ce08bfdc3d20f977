#include "archive/records.h"

#include <algorithm>

#include "base/error.h"
#include "storage/document.h"

namespace tidemark::archive {
namespace {

using nlohmann::json;

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
        return mysql::GtidPosition::parse(content.at(field).get<std::string>());
    } catch (const Error& error) {
        throw Error(ErrorCode::Corrupt, from.object + ": " + error.what());
    }
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
    return readRecord(kRoundStart, storage, roundStartKey(round), [](const json& in, const Origin& from) {
        RoundStart record;
        record.key = {in.at("dest_id"), in.at("round_id")};
        record.tenant_id = in.at("tenant_id");
        record.base_piece_id = in.at("base_piece_id");
        record.scn = in.at("start_scn");
        record.position = positionIn(in, "start_gtid", from);
        record.piece_interval = in.at("piece_interval");
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
    return readRecord(kRoundEnd, storage, roundEndKey(round), [](const json& in, const Origin& from) {
        RoundEnd record;
        record.key = {in.at("dest_id"), in.at("round_id")};
        record.checkpoint_scn = in.at("checkpoint_scn");
        record.used_piece_id = in.at("used_piece_id");
        record.position = positionIn(in, "end_gtid", from);
        record.reason = in.at("reason");
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
        records.push_back(readRecord(kSettings, storage, object.key, [](const json& in, const Origin& from) {
            SettingsRecord record;
            record.key = {in.at("dest_id"), in.at("round_id")};
            record.scn = in.at("scn");
            record.position = positionIn(in, "gtid", from);
            record.settings = in.at("tenant_settings").get<std::map<std::string, std::string>>();
            return record;
        }));
    }
    std::ranges::sort(records, {}, &SettingsRecord::scn);
    return records;
}

void putRecord(storage::Storage& storage, const storage::Key& key, const PieceRecord& record) {
    const PieceState& piece = record.state;
    const json content = {
        {"dest_id", piece.key.dest},    {"round_id", piece.key.round},      {"piece_id", piece.key.piece},
        {"start_scn", piece.start_scn}, {"end_scn", piece.end_scn},         {"checkpoint_scn", piece.checkpoint_scn},
        {"max_scn", piece.max_scn},     {"input_bytes", piece.input_bytes}, {"output_bytes", piece.output_bytes},
        {"files", piece.files},         {"frozen", piece.frozen},           {"start_gtid", record.start.text()},
        {"end_gtid", record.end.text()}};
    storage.put(key, storage::sealDocument(kPiece, content));
}

PieceRecord readPiece(storage::Storage& storage, const storage::Key& key) {
    return readRecord(kPiece, storage, key, [](const json& in, const Origin& from) {
        PieceRecord record;
        PieceState& piece = record.state;
        piece.key = {in.at("dest_id"), in.at("round_id"), in.at("piece_id")};
        piece.start_scn = in.at("start_scn");
        piece.end_scn = in.at("end_scn");
        piece.checkpoint_scn = in.at("checkpoint_scn");
        piece.max_scn = in.at("max_scn");
        piece.input_bytes = in.at("input_bytes");
        piece.output_bytes = in.at("output_bytes");
        piece.files = in.at("files");
        piece.frozen = in.at("frozen");
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
                      [](const json& in, const Origin&) { return in.at("files").get<std::uint64_t>(); });
}

void putPieceFiles(storage::Storage& storage, const PieceState& piece) {
    const json content = {{"logstreams", {{{"id", 1}, {"files", piece.files}, {"bytes", piece.output_bytes}}}}};
    storage.put(pieceFilesKey(piece.key), storage::sealDocument(kPieceFiles, content));
}

}  // namespace tidemark::archive
