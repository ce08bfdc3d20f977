#include "storage/storage.h"

#include "base/error.h"

namespace tidemark::storage {

void Storage::put(const Key& key, ByteView bytes) {
    const auto writer = create(key);
    writer->append(bytes);
    writer->finish();
}

Bytes Storage::getAll(const Key& key) {
    const auto info = stat(key);
    if (!info) throw Error(ErrorCode::NotFound, url() + "/" + key + " does not exist");
    return get(key, 0, info->size);
}

}  // namespace tidemark::storage
