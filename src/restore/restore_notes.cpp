#include "restore/restore_notes.h"

#include "base/json.h"

namespace tidemark::restore {
namespace {

nlohmann::json jsonOf(const catalog::Outcome& outcome) {
    return {{"canceled", outcome.state == catalog::Outcome::State::Canceled},
            {"result", outcome.result},
            {"comment", outcome.comment}};
}

catalog::Outcome outcomeFrom(const nlohmann::json& json) {
    using State = catalog::Outcome::State;
    return {.state = json.at("canceled").get<bool>() ? State::Canceled : State::Failed,
            .result = json.at("result").get<int>(),
            .comment = json.at("comment").get<std::string>()};
}

}  // namespace

std::string RestoreNotes::text() const {
    nlohmann::json json{{"uris", choice.uris},
                        {"target", choice.target},
                        {"newest", choice.newest},
                        {"settings_until", choice.settings_until},
                        {"data", choice.data_uri},
                        {"set", choice.set.number},
                        {"full", choice.set.kind == backup_set::SetKind::Full},
                        {"archive", choice.archive_uri},
                        {"dest_id", choice.round.dest},
                        {"round", choice.round.round}};
    if (!left_out.empty()) json["left_out"] = left_out;
    if (!key.empty()) json["key"] = key;
    if (failure) json["failure"] = jsonOf(*failure);
    return jsonText(json);
}

RestoreNotes RestoreNotes::from(const std::string& text) {
    RestoreNotes notes;
    if (text.empty()) return notes;
    const nlohmann::json json = parseJson(text);
    RestoreChoice& choice = notes.choice;
    json.at("uris").get_to(choice.uris);
    json.at("target").get_to(choice.target);
    json.at("newest").get_to(choice.newest);
    json.at("settings_until").get_to(choice.settings_until);
    json.at("data").get_to(choice.data_uri);
    json.at("set").get_to(choice.set.number);
    choice.set.kind = backup_set::kindOf(!json.at("full").get<bool>());
    json.at("archive").get_to(choice.archive_uri);
    json.at("dest_id").get_to(choice.round.dest);
    json.at("round").get_to(choice.round.round);
    notes.left_out = json.value("left_out", std::string());
    notes.key = json.value("key", std::string());
    if (json.contains("failure")) notes.failure = outcomeFrom(json.at("failure"));
    return notes;
}

}  // namespace tidemark::restore
