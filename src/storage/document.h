#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "storage/storage.h"

namespace tidemark::storage {

/// A small stored record that people can read: JSON text, then a line "xxh3 <16 hex digits>" over everything before it.
/// `kind` and `version` say what the record is, so that no other record is mistaken for it.
struct DocumentType {
    const char* kind;
    int version;  ///< the newest that is understood, and the one written
};

Bytes sealDocument(const DocumentType& type, nlohmann::json content);

/// Reads a record back. Throws NotFound if there is no object; Corrupt, naming the object, if it is larger than 256
/// MiB, damaged, or of another kind; InvalidRequest if it was written by a newer version.
nlohmann::json openDocument(const DocumentType& type, Storage& storage, const Key& key);

/// Runs `read` on a document's content and turns a missing or mistyped field into Corrupt, naming `object`.
template <typename Read>
auto readFields(const std::string& object, Read read) {
    try {
        return read();
    } catch (const nlohmann::json::exception& problem) {
        throw Error(ErrorCode::Corrupt, object + " lacks something or has the wrong type: " + problem.what());
    }
}

}  // namespace tidemark::storage
