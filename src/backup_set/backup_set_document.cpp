#include "backup_set/backup_set_document.h"

namespace tidemark::backup_set {
namespace {

using nlohmann::json;

constexpr storage::DocumentType kDocument{"tidemark backup set", kDescriptionVersion};

/// Sets of versions before the field lack it: it keeps its default.
constexpr bool kCameLater = true;

/// Hands every plain field with its name to `visit`, so that reading and writing cannot disagree.
template <typename Description, typename Visit>
void visitFields(Description& d, Visit visit) {
    visit("backup_set_id", d.id.number);
    visit("prev_full_backup_set_id", d.prev_full_set);
    visit("prev_inc_backup_set_id", d.prev_incremental_set);
    visit("cluster_name", d.cluster_name);
    visit("cluster_id", d.cluster_id);
    visit("tenant_name", d.tenant_name);
    visit("tenant_id", d.tenant_id);
    visit("dest_id", d.dest_id);
    visit("tenant_settings", d.tenant_settings);
    visit("comment", d.comment);
    visit("start_time", d.start_time);
    visit("end_time", d.end_time);
    visit("start_scn", d.start_scn);
    visit("start_replay_scn", d.start_replay_scn);
    visit("consistent_scn", d.consistent_scn);
    visit("min_restore_scn", d.min_restore_scn);
    visit("plus_archivelog", d.plus_archivelog);
    visit("gtid", d.gtid);
    visit("binlog_file", d.binlog_file);
    visit("binlog_position", d.binlog_position);
    visit("from_lsn", d.from_lsn);
    visit("to_lsn", d.to_lsn);
    visit("last_lsn", d.last_lsn);
    visit("server_version", d.server_version);
    visit("input_bytes", d.input_bytes);
    visit("output_bytes", d.output_bytes);
    visit("file_count", d.files);
    visit("tablet_count", d.tablets);
    visit("macro_block_count", d.macro_blocks);
    visit("index_checksum", d.index_checksum);
    visit("turn", d.turn, kCameLater);
    visit("log_end_scn", d.log_end_scn, kCameLater);
    visit("log_file_count", d.log_files, kCameLater);
}

}  // namespace

json contentOf(const BackupSetDescription& description) {
    json content;
    visitFields(description, [&](const char* name, const auto& value, bool = false) { content[name] = value; });
    content["backup_type"] = description.id.kind == SetKind::Full ? "FULL" : "INC";
    json objects = json::array();
    for (const block::StoredObject& object : description.objects)
        objects.push_back({{"key", object.key}, {"size", object.size}});
    content["objects"] = std::move(objects);
    json log = json::array();
    for (const LogObject& object : description.log_objects)
        log.push_back({{"key", object.key}, {"size", object.size}, {"xxh3", object.checksum}});
    content["log_objects"] = std::move(log);
    return content;
}

BackupSetDescription descriptionFrom(const storage::Document& document) {
    const json& content = document.content;
    BackupSetDescription description;
    visitFields(description, [&](const char* name, auto& value, bool came_later = false) {
        if (came_later && !content.contains(name)) return;
        storage::takeField(content, name, value);
    });
    const auto type = storage::takeField<std::string>(content, "backup_type");
    if (type != "FULL" && type != "INC") throw std::range_error("backup_type is '" + type + "'");
    description.id.kind = type == "FULL" ? SetKind::Full : SetKind::Incremental;
    for (const json& object : content.at("objects")) {
        description.objects.push_back(
            {storage::takeField<std::string>(object, "key"), storage::takeField<std::uint64_t>(object, "size")});
    }
    if (!content.contains("log_objects")) return description;  // of a version before them
    for (const json& object : content.at("log_objects")) {
        description.log_objects.push_back({storage::takeField<std::string>(object, "key"),
                                           storage::takeField<std::uint64_t>(object, "size"),
                                           storage::takeField<std::uint64_t>(object, "xxh3")});
    }
    return description;
}

Bytes encodeDescription(const BackupSetDescription& description) {
    return storage::sealDocument(kDocument, contentOf(description));
}

BackupSetDescription decodeDescription(storage::Storage& storage, const storage::Key& key) {
    const storage::Document document = storage::openDocument(kDocument, storage, key);
    return storage::readFields(storage.url() + "/" + key, [&] { return descriptionFrom(document); });
}

}  // namespace tidemark::backup_set
