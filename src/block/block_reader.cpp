#include "block/block_reader.h"

#include "base/error.h"

namespace tidemark::block {

BlockReader::BlockReader(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                         const ChainKeyPtr& chain, const DirectoryOf& directory_of_others,
                         std::shared_ptr<storage::Storage> index_place)
    : storage_(storage),
      index_place_(std::move(index_place)),
      index_(index_place_ ? *index_place_ : storage, directory + kRangeIndexName, set_id, chain),
      frames_(storage, chain) {
    if (index_.layers().size() > 1 && !directory_of_others) {
        throw Error(ErrorCode::Corrupt, index_.name() + " leans on other sets, which it should not");
    }
    for (std::size_t i = 0; i < index_.layers().size(); ++i) {
        const IndexLayer& layer = index_.layers()[i];
        frames_.addLayer(layer.id, i == 0 ? directory : directory_of_others(layer));
    }
}

void BlockReader::checkObjects() const {
    for (std::size_t i = 0; i < index_.layers().size(); ++i) {
        for (const auto& object : index_.layers()[i].objects) {
            const storage::Key key = frames_.directory(i) + dataFileName(object.number);
            const auto info = storage_.stat(key);
            if (!info) throw Error(ErrorCode::NotFound, storage_.url() + "/" + key + " does not exist");
            if (info->size == object.size) continue;
            throw Error(ErrorCode::Corrupt, storage_.url() + "/" + key + " has " + std::to_string(info->size) +
                                                " bytes instead of " + std::to_string(object.size));
        }
    }
}

}  // namespace tidemark::block
