#include "backup_set/mount_files.h"

#include "base/error.h"
#include "base/json.h"

namespace tidemark::backup_set {
namespace {

template <typename Read>
auto readOrNone(const std::string& text, Read read) -> std::optional<decltype(read(nlohmann::json()))> {
    try {
        return read(parseJson(text));
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace

std::string MountProgress::text() const {
    return jsonText({{"missing", missing}, {"pages", pages}, {"problem", problem}});
}

std::optional<MountProgress> MountProgress::from(const std::string& text) {
    return readOrNone(text, [](const nlohmann::json& json) {
        return MountProgress{json.at("missing").get<std::uint64_t>(), json.at("pages").get<std::uint64_t>(),
                             json.at("problem").get<std::string>()};
    });
}

std::string MountFailure::text() const {
    return jsonText({{"no_mount", no_mount}, {"may_heal", may_heal}, {"what", what}});
}

std::optional<MountFailure> MountFailure::from(const std::string& text) {
    return readOrNone(text, [](const nlohmann::json& json) {
        return MountFailure{json.at("no_mount").get<bool>(), json.at("may_heal").get<bool>(),
                            json.at("what").get<std::string>()};
    });
}

}  // namespace tidemark::backup_set
