#pragma once

#include <functional>
#include <memory>

#include "block/frame_reader.h"
#include "block/set_index.h"

namespace tidemark::block {

/// Where the objects of a layer are; ends in '/'.
using DirectoryOf = std::function<storage::Key(const IndexLayer&)>;

/// Reads what BlockWriter stored. Thread-safe.
class BlockReader {
public:
    /// Opens the index in `directory`, where the set's own layer is. `chain`: of a set that is encrypted. Throws
    /// NotFound or Corrupt, naming the object; Denied for want of the key. `index_place`: where an index lies that was
    /// made again (index_rebuild.h).
    BlockReader(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                const ChainKeyPtr& chain = {}, const DirectoryOf& directory_of_others = {},
                std::shared_ptr<storage::Storage> index_place = {});

    const SetIndex& index() const { return index_; }
    /// Throws NotFound or Corrupt, naming the object, if one of those that the set's pages lie in is missing or has
    /// another size than the index says.
    void checkObjects() const;

    /// Reads and decodes the frames of its layers.
    const FrameReader& frames() const { return frames_; }

    /// Whether its index is not the stored one, but was made again.
    bool isRebuilt() const { return index_place_ != nullptr; }

private:
    storage::Storage& storage_;
    const std::shared_ptr<storage::Storage> index_place_;
    const SetIndex index_;
    FrameReader frames_;
};

}  // namespace tidemark::block
