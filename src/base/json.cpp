#include "base/json.h"

namespace tidemark {

nlohmann::json parseJson(std::string_view text) {
    return nlohmann::json::parse(text);
}

std::string jsonText(const nlohmann::json& json, int indent) {
    return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tidemark
