#include "backup_set/backup_set_document.h"

#include "base/crypto.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"

namespace tidemark::backup_set {
namespace {

using nlohmann::json;

constexpr storage::DocumentType kDocument{"tidemark backup set", kDescriptionVersion};

/// Sets of versions before the field lack it: it keeps its default.
constexpr bool kCameLater = true;

/// Hands every plain field with its name to `visit`, so that reading and writing cannot disagree. These are what
/// anybody may know who can list the destination, and has to know to choose a set, or to remove it.
template <typename Description, typename Visit>
void visitPublicFields(Description& d, Visit visit) {
    visit("backup_set_id", d.id.number);
    visit("prev_full_backup_set_id", d.prev_full_set);
    visit("prev_inc_backup_set_id", d.prev_incremental_set);
    visit("cluster_id", d.cluster_id);
    visit("tenant_id", d.tenant_id);
    visit("dest_id", d.dest_id);
    visit("start_time", d.start_time);
    visit("end_time", d.end_time);
    visit("start_scn", d.start_scn);
    visit("start_replay_scn", d.start_replay_scn);
    visit("consistent_scn", d.consistent_scn);
    visit("min_restore_scn", d.min_restore_scn);
    visit("plus_archivelog", d.plus_archivelog);
    visit("output_bytes", d.output_bytes);
    visit("turn", d.turn, kCameLater);
    visit("log_end_scn", d.log_end_scn, kCameLater);
    visit("log_file_count", d.log_files, kCameLater);
    visit("encrypted", d.encrypted, kCameLater);
}

/// And these tell of the content.
template <typename Description, typename Visit>
void visitPrivateFields(Description& d, Visit visit) {
    visit("cluster_name", d.cluster_name);
    visit("tenant_name", d.tenant_name);
    visit("tenant_settings", d.tenant_settings);
    visit("comment", d.comment);
    visit("gtid", d.gtid);
    visit("binlog_file", d.binlog_file);
    visit("binlog_position", d.binlog_position);
    visit("from_lsn", d.from_lsn);
    visit("to_lsn", d.to_lsn);
    visit("last_lsn", d.last_lsn);
    visit("server_version", d.server_version);
    visit("input_bytes", d.input_bytes);
    visit("file_count", d.files);
    visit("tablet_count", d.tablets);
    visit("macro_block_count", d.macro_blocks);
    visit("index_checksum", d.index_checksum);
    visit("wrong_pages", d.wrong_pages, kCameLater);
    visit("wrong_page_count", d.wrong_page_count, kCameLater);
}

auto writer(json& content) {
    return [&content](const char* name, const auto& value, bool = false) { content[name] = value; };
}

auto reader(const json& content) {
    return [&content](const char* name, auto& value, bool came_later = false) {
        if (came_later && !content.contains(name)) return;
        storage::takeField(content, name, value);
    };
}

constexpr const char* kSealed = "sealed";

Secret sealingKey(const block::ChainKey& chain, const SetId& id) {
    return chain.derived(
        ByteWriter().text("tidemark description").u32(id.number).u8(id.kind == SetKind::Full ? 0 : 1).take());
}

json publicContent(const BackupSetDescription& description) {
    json content;
    visitPublicFields(description, writer(content));
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

/// What of it is sealed stays so.
BackupSetDescription publicDescription(json content) {
    BackupSetDescription description;
    visitPublicFields(description, reader(content));
    const auto type = storage::takeField<std::string>(content, "backup_type");
    if (type != "FULL" && type != "INC") throw std::range_error("backup_type is '" + type + "'");
    description.id.kind = type == "FULL" ? SetKind::Full : SetKind::Incremental;
    for (const json& object : content.at("objects")) {
        description.objects.push_back(
            {storage::takeField<std::string>(object, "key"), storage::takeField<std::uint64_t>(object, "size")});
    }
    for (const json& object : content.value("log_objects", json::array())) {  // versions before them have none
        description.log_objects.push_back({storage::takeField<std::string>(object, "key"),
                                           storage::takeField<std::uint64_t>(object, "size"),
                                           storage::takeField<std::uint64_t>(object, "xxh3")});
    }
    if (!description.encrypted) return description;
    auto bytes = bytesOfHex(storage::takeField<std::string>(content, kSealed));
    if (!bytes) throw std::range_error("what is sealed is no hexadecimal number");
    content.erase(kSealed);
    description.sealed = {.clear = jsonText(content), .bytes = std::move(*bytes)};
    return description;
}

/// False if the key is not its, or something was changed.
bool unseal(BackupSetDescription& description, const block::ChainKey& chain) {
    const BackupSetDescription::Sealed& sealed = *description.sealed;
    const auto opened = openAlone(sealingKey(chain, description.id).bytes(), viewOf(sealed.clear), sealed.bytes);
    if (!opened) return false;
    const json content = parseJson(opened->text());
    visitPrivateFields(description, reader(content));
    description.sealed.reset();
    return true;
}

}  // namespace

json contentOf(const BackupSetDescription& description) {
    json content = publicContent(description);
    visitPrivateFields(description, writer(content));
    return content;
}

BackupSetDescription descriptionFrom(const storage::Document& document) {
    json content = document.content;
    content.erase("encrypted");  // nothing of it is
    BackupSetDescription description = publicDescription(std::move(content));
    visitPrivateFields(description, reader(document.content));
    if (document.content.contains("encrypted"))
        storage::takeField(document.content, "encrypted", description.encrypted);
    return description;
}

Bytes encodeDescription(const BackupSetDescription& description, const ChainKeyPtr& chain) {
    if (!chain) return storage::sealDocument(kDocument, contentOf(description));
    BackupSetDescription encrypted = description;
    encrypted.encrypted = true;
    json content = publicContent(encrypted);
    json hidden;
    visitPrivateFields(encrypted, writer(hidden));
    content[kSealed] = hexOf(
        sealAlone(sealingKey(*chain, description.id).bytes(), viewOf(jsonText(content)), viewOf(jsonText(hidden))));
    return storage::sealDocument(kDocument, std::move(content));
}

BackupSetDescription decodeDescription(storage::Storage& storage, const storage::Key& key, const ChainKeyPtr& chain) {
    const storage::Document document = storage::openDocument(kDocument, storage, key);
    const std::string name = storage.url() + "/" + key;
    return storage::readFields(name, [&] {
        const bool encrypted =
            document.content.contains("encrypted") && storage::takeField<bool>(document.content, "encrypted");
        if (!encrypted && chain) throw Error(ErrorCode::Corrupt, name + " is not encrypted, as its backup set is");
        if (!encrypted) return descriptionFrom(document);
        BackupSetDescription description = publicDescription(document.content);
        if (chain && !unseal(description, *chain)) {
            throw Error(ErrorCode::Corrupt, name + " was changed, or encrypted with another key than its backup set");
        }
        return description;
    });
}

}  // namespace tidemark::backup_set
