#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tidemark {

// The library's parser and printer are templates of 60 KB. What uses these two functions instead compiles two seconds
// faster, every time.

/// What a text may hold, since a short one can become a large tree: "[[],[]…" takes thirty times its size.
struct JsonLimits {
    std::size_t depth = 16;  ///< of arrays and objects in each other
    std::size_t values = 1 << 20;
};

/// Throws nlohmann::json::parse_error, or Corrupt for what goes beyond the limits.
nlohmann::json parseJson(std::string_view text, const JsonLimits& limits = {});

/// Indented by `indent` blanks, or on one line. Bytes that are no UTF-8 are replaced: names and values may hold any.
std::string jsonText(const nlohmann::json& json, int indent = -1);

}  // namespace tidemark
