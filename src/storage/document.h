#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "storage/storage.h"

namespace tidemark::storage {

/// A small stored record that people can read: JSON text, then a line "xxh3 <16 hex digits>" over everything before it.
/// `kind` and `version` say what the record is, so that no other record is mistaken for it. How records may grow:
/// docs/format/destination.md.
struct DocumentType {
    const char* kind;
    int version;  ///< the newest that is understood, and the one written
    /// The oldest version whose programs may read what is written: they understand it without the fields that they do
    /// not know. 0: none but this.
    int oldest_reader = 0;
};

/// A record as it was found. A decoder takes what every version has, and what came later if it is there; of what it
/// does not know it takes nothing.
struct Document {
    int version = 0;
    nlohmann::json content;
};

/// No document is larger: the description of a set of 64000 data files has 9 MB.
constexpr std::uint64_t kLargestDocument = 16 << 20;

/// Throws Conflict for a document that would be too large to be read.
Bytes sealDocument(const DocumentType& type, nlohmann::json content);

/// Reads a record back. Throws NotFound if there is no object; Corrupt, naming the object, if it is larger, deeper or
/// fuller than any that is written, damaged, or of another kind; InvalidRequest if it takes a newer version to read it.
Document openDocument(const DocumentType& type, Storage& storage, const Key& key);

/// Runs `read` on a document's content and turns a missing or mistyped field into Corrupt, naming `object`.
template <typename Read>
auto readFields(const std::string& object, Read read) {
    try {
        return read();
    } catch (const nlohmann::json::exception& problem) {
        throw Error(ErrorCode::Corrupt, object + " lacks something or has the wrong type: " + problem.what());
    } catch (const std::range_error& problem) {
        throw Error(ErrorCode::Corrupt, object + " has something impossible: " + problem.what());
    }
}

/// Takes a field, for readFields(). The library would cut a number to what `into` has room for, or take a truth value
/// for one: it is refused unless it is written again as it is there.
template <typename Value>
void takeField(const nlohmann::json& content, const char* name, Value& into) {
    const nlohmann::json& field = content.at(name);
    bool same = !std::is_integral_v<Value> || !field.is_number_float();  // what a large one becomes is not defined
    if (same) {
        field.get_to(into);
        const nlohmann::json taken = into;
        // As texts: the library compares -1 with the largest number and finds them equal.
        same = field.is_number() ? taken.dump() == field.dump() : taken == field;
    }
    if (!same) throw std::range_error(std::string(name) + " is " + field.dump().substr(0, 100));
}

template <typename Value>
Value takeField(const nlohmann::json& content, const char* name) {
    Value value{};
    takeField(content, name, value);
    return value;
}

}  // namespace tidemark::storage
