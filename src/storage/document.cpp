#include "storage/document.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "storage/newer_version.h"

namespace tidemark::storage {
namespace {

constexpr std::size_t kTrailer = sizeof("xxh3 0123456789abcdef\n") - 1;

std::string trailerFor(std::string_view text) {
    return fmt::format("xxh3 {:016x}\n", xxh3(viewOf(text)));
}

/// The text of a document, its checksum verified.
std::string readText(Storage& storage, const Key& key, const std::string& object) {
    const auto info = storage.stat(key);
    if (!info) throw Error(ErrorCode::NotFound, object + " does not exist");
    if (info->size > kLargestDocument || info->size < kTrailer) {
        throw Error(ErrorCode::Corrupt,
                    object + " has " + std::to_string(info->size) + " bytes, which cannot be right");
    }
    const Bytes bytes = storage.get(key, 0, info->size);
    const std::string_view text = textOf(bytes).substr(0, bytes.size() - kTrailer);
    if (textOf(bytes).substr(text.size()) != trailerFor(text)) {
        throw Error(ErrorCode::Corrupt, object + " is damaged: its checksum does not fit");
    }
    return std::string(text);
}

nlohmann::json parsed(const std::string& text, const std::string& object) {
    try {
        return parseJson(text);
    } catch (const Error& error) {
        throw error.in(object);
    }
}

}  // namespace

Bytes sealDocument(const DocumentType& type, nlohmann::json content) {
    nlohmann::json document = {{"kind", type.kind}, {"version", type.version}, {"content", std::move(content)}};
    if (type.oldest_reader != 0) document["oldest_reader"] = type.oldest_reader;
    std::string text = jsonText(document, 1) + "\n";
    text += trailerFor(text);
    if (text.size() > kLargestDocument) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("a '{}' would have {} bytes, and none may have more than {}", type.kind, text.size(),
                                kLargestDocument),
                    "of a backup set it lists the data files: a larger backup_data_file_size makes fewer");
    }
    const ByteView bytes = viewOf(text);
    return {bytes.begin(), bytes.end()};
}

Document openDocument(const DocumentType& type, Storage& storage, const Key& key) {
    const std::string object = storage.url() + "/" + key;
    const std::string text = readText(storage, key, object);
    return readFields(object, [&] {
        nlohmann::json document = parsed(text, object);
        const auto kind = takeField<std::string>(document, "kind");
        if (kind != type.kind) {
            throw Error(ErrorCode::Corrupt, object + " is a '" + kind + "', not a '" + type.kind + "'");
        }
        const auto version = takeField<int>(document, "version");
        const bool names_readers = document.contains("oldest_reader");
        const int oldest = names_readers ? takeField<int>(document, "oldest_reader") : version;
        if (version > type.version && oldest > type.version) {
            throw newerVersion(object);
        }
        return Document{version, std::move(document.at("content"))};
    });
}

}  // namespace tidemark::storage
