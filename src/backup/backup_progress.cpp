#include "backup/backup_progress.h"

#include "backup_set/backup_set_document.h"
#include "base/json.h"

namespace tidemark::backup {

std::string BackupProgress::text() const {
    nlohmann::json json{{"turn", turn}, {"round_id", round_id}};
    if (copied) json["copied"] = backup_set::contentOf(*copied);
    return jsonText(json);
}

BackupProgress BackupProgress::from(const std::string& text) {
    BackupProgress progress;
    if (text.empty()) return progress;
    const nlohmann::json json = parseJson(text);
    progress.turn = json.at("turn").get<std::uint32_t>();
    progress.round_id = json.at("round_id").get<std::int64_t>();
    if (json.contains("copied"))
        progress.copied = backup_set::descriptionFrom({backup_set::kDescriptionVersion, json.at("copied")});
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
