#include "base/json.h"

#include "base/error.h"

namespace tidemark {

nlohmann::json parseJson(std::string_view text, const JsonLimits& limits) {
    using Event = nlohmann::json::parse_event_t;
    std::size_t values = 0;
    return nlohmann::json::parse(text, [&](int depth, Event event, const nlohmann::json&) {
        const bool begins = event == Event::object_start || event == Event::array_start;
        if (begins && static_cast<std::size_t>(depth) >= limits.depth) {
            throw Error(ErrorCode::Corrupt,
                        "it is nested more than " + std::to_string(limits.depth) + " deep, which nothing here is");
        }
        if ((begins || event == Event::value) && ++values > limits.values) {
            throw Error(ErrorCode::Corrupt, "it has more than " + std::to_string(limits.values) + " values");
        }
        return true;
    });
}

std::string jsonText(const nlohmann::json& json, int indent) {
    return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tidemark
