#include "storage/subtree_storage.h"

namespace tidemark::storage {

std::optional<ObjectInfo> SubtreeStorage::stat(const Key& key) {
    auto found = inner_.stat(prefix_ + key);
    if (found) found->key = key;
    return found;
}

std::vector<ObjectInfo> SubtreeStorage::list(const Key& prefix) {
    std::vector<ObjectInfo> found = inner_.list(prefix_ + prefix);
    for (ObjectInfo& object : found)
        object.key.erase(0, prefix_.size());
    return found;
}

std::string SubtreeStorage::url() const {
    return inner_.url() + "/" + prefix_.substr(0, prefix_.size() - 1);
}

}  // namespace tidemark::storage
