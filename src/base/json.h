#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tidemark {

// The library's parser and printer are templates of 60 KB. What uses these two functions instead compiles two seconds
// faster, every time.

/// Throws nlohmann::json::parse_error.
nlohmann::json parseJson(std::string_view text);

/// Indented by `indent` blanks, or on one line. Bytes that are no UTF-8 are replaced: names and values may hold any.
std::string jsonText(const nlohmann::json& json, int indent = -1);

}  // namespace tidemark
