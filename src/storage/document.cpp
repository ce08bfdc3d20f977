#include "storage/document.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"

namespace tidemark::storage {
namespace {

constexpr std::size_t kTrailer = sizeof("xxh3 0123456789abcdef\n") - 1;
constexpr std::uint64_t kLargest = 256 << 20;

std::string trailerFor(std::string_view text) {
    return fmt::format("xxh3 {:016x}\n", xxh3(viewOf(text)));
}

}  // namespace

Bytes sealDocument(const DocumentType& type, nlohmann::json content) {
    nlohmann::json document = {{"kind", type.kind}, {"version", type.version}, {"content", std::move(content)}};
    std::string text = jsonText(document, 1) + "\n";
    text += trailerFor(text);
    const ByteView bytes = viewOf(text);
    return {bytes.begin(), bytes.end()};
}

nlohmann::json openDocument(const DocumentType& type, Storage& storage, const Key& key) {
    const std::string object = storage.url() + "/" + key;
    const auto info = storage.stat(key);
    if (!info) throw Error(ErrorCode::NotFound, object + " does not exist");
    if (info->size > kLargest || info->size < kTrailer) {
        throw Error(ErrorCode::Corrupt,
                    object + " has " + std::to_string(info->size) + " bytes, which cannot be right");
    }
    const Bytes bytes = storage.get(key, 0, info->size);
    const std::string_view text = textOf(bytes).substr(0, bytes.size() - kTrailer);
    if (textOf(bytes).substr(text.size()) != trailerFor(text)) {
        throw Error(ErrorCode::Corrupt, object + " is damaged: its checksum does not fit");
    }
    return readFields(object, [&] {
        nlohmann::json document = parseJson(text);
        if (document.at("kind").get<std::string>() != type.kind) {
            throw Error(ErrorCode::Corrupt,
                        object + " is a '" + document.at("kind").get<std::string>() + "', not a '" + type.kind + "'");
        }
        if (document.at("version").get<int>() > type.version) {
            throw Error(ErrorCode::InvalidRequest, object + " was written by a newer version of Tidemark",
                        "use that version or a later one");
        }
        return nlohmann::json(document.at("content"));
    });
}

}  // namespace tidemark::storage
