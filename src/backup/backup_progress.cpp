#include "backup/backup_progress.h"

#include "backup_set/backup_set_document.h"
#include "base/json.h"

namespace tidemark::backup {

namespace {

nlohmann::json jsonOf(const LogChoice& log) {
    return {{"archive", log.archive_uri},         {"dest_id", log.range.round.dest},
            {"round_id", log.range.round.round},  {"after", log.range.after.text()},
            {"after_scn", log.range.after_scn},   {"until", log.range.until},
            {"last_piece", log.range.last_piece}, {"last_file", log.range.last_file}};
}

LogChoice logFrom(const nlohmann::json& json) {
    LogChoice log;
    json.at("archive").get_to(log.archive_uri);
    json.at("dest_id").get_to(log.range.round.dest);
    json.at("round_id").get_to(log.range.round.round);
    log.range.after = mysql::GtidPosition::parse(json.at("after").get<std::string>());
    json.at("after_scn").get_to(log.range.after_scn);
    json.at("until").get_to(log.range.until);
    json.at("last_piece").get_to(log.range.last_piece);
    json.at("last_file").get_to(log.range.last_file);
    return log;
}

}  // namespace

std::string BackupProgress::text() const {
    nlohmann::json json{{"turn", turn}, {"round_id", round_id}};
    if (parent) json["parent"] = {{"set", parent->number}, {"full", parent->kind == backup_set::SetKind::Full}};
    if (!full_because.empty()) json["full_because"] = full_because;
    if (copied) json["copied"] = backup_set::contentOf(*copied);
    if (log) json["log"] = jsonOf(*log);
    if (encryption.on()) json["encryption"] = encryption.json();
    return jsonText(json);
}

BackupProgress BackupProgress::from(const std::string& text) {
    BackupProgress progress;
    if (text.empty()) return progress;
    const nlohmann::json json = parseJson(text);
    progress.turn = json.at("turn").get<std::uint32_t>();
    progress.round_id = json.at("round_id").get<std::int64_t>();
    if (json.contains("parent")) {
        const nlohmann::json& parent = json.at("parent");
        progress.parent = {parent.at("set").get<std::uint32_t>(),
                           backup_set::kindOf(!parent.at("full").get<bool>())};
    }
    progress.full_because = json.value("full_because", "");
    if (json.contains("copied"))
        progress.copied = backup_set::descriptionFrom({backup_set::kDescriptionVersion, json.at("copied")});
    if (json.contains("log")) progress.log = logFrom(json.at("log"));
    if (json.contains("encryption")) progress.encryption = SetEncryption::from(json.at("encryption"));
    return progress;
}

std::string Leftovers::text() const {
    return jsonText({{"path", path}, {"backup_set_id", backup_set_id}});
}

Leftovers Leftovers::from(const std::string& text) {
    const nlohmann::json json = parseJson(text);
    return {.path = json.at("path").get<std::string>(), .backup_set_id = json.at("backup_set_id").get<std::int64_t>()};
}

}  // namespace tidemark::backup
