#include "archive/piece_removal.h"

#include <algorithm>

namespace tidemark::archive {
namespace {

storage::Key markers(const PieceKey& piece, const char* which) {
    return "pieces/" + nameOf(piece) + which;
}

}  // namespace

std::vector<storage::ObjectInfo> objectsToRemove(storage::Storage& storage, const PieceKey& piece) {
    auto objects = storage.list(markers(piece, "_start_"));
    const storage::Key directory = nameOf(piece) + "/";
    storage.removeUnfinished(directory);
    auto content = storage.list(directory);
    std::stable_partition(content.begin(), content.end(),
                          [&](const auto& object) { return object.key == pieceInfoKey(piece); });
    objects.insert(objects.end(), content.begin(), content.end());
    const auto ends = storage.list(markers(piece, "_end_"));
    objects.insert(objects.end(), ends.begin(), ends.end());
    return objects;
}

bool isThere(storage::Storage& storage, const PieceKey& piece) {
    return storage.any(markers(piece, "_start_"));
}

}  // namespace tidemark::archive
