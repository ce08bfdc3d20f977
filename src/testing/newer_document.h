#pragma once

#include <fmt/format.h>

#include <functional>

#include "base/hash.h"
#include "base/json.h"
#include "storage/storage.h"

/// For tests of readers only: documents as versions of Tidemark will write them that do not exist yet.
namespace tidemark::testing {

using storage::Key;
using storage::Storage;

inline nlohmann::json documentAt(Storage& storage, const Key& key) {
    const Bytes bytes = storage.getAll(key);
    const std::string_view text = textOf(bytes);
    return parseJson(text.substr(0, text.rfind("xxh3 ")));
}

/// Whatever it says, with a right checksum.
inline void replaceDocument(Storage& storage, const Key& key, const nlohmann::json& document) {
    std::string text = jsonText(document, 1) + "\n";
    text += fmt::format("xxh3 {:016x}\n", xxh3(viewOf(text)));
    storage.remove(key);
    storage.put(key, viewOf(text));
}

/// Adds fields of every kind to an object and to whatever objects are in it.
inline void addUnknownFields(nlohmann::json& value) {
    for (auto& inner : value) {
        if (inner.is_structured()) addUnknownFields(inner);
    }
    if (!value.is_object()) return;
    value["an_added_number"] = 7;
    value["an_added_text"] = "x";
    value["an_added_list"] = nlohmann::json::array({nlohmann::json::object({{"a", 1}}), nullptr});
}

/// Makes the document one of the next version, of which this one may (or may not) ignore what it does not know.
inline void makeNewer(Storage& storage, const Key& key, bool readable,
                      const std::function<void(nlohmann::json&)>& add = addUnknownFields) {
    nlohmann::json document = documentAt(storage, key);
    const int version = document.at("version").get<int>();
    document["version"] = version + 1;
    document["oldest_reader"] = readable ? version : version + 1;
    document["an_added_number"] = 7;
    add(document.at("content"));
    replaceDocument(storage, key, document);
}

}  // namespace tidemark::testing
