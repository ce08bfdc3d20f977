#pragma once

#include <functional>

#include "block/codec.h"
#include "block/read_plan.h"
#include "block/set_index.h"
#include "storage/storage.h"

namespace tidemark::block {

/// Where the objects of a layer are; ends in '/'.
using DirectoryOf = std::function<storage::Key(const IndexLayer&)>;

/// Reads what BlockWriter stored. Thread-safe.
class BlockReader {
public:
    /// Opens the index in `directory`, where the set's own layer is. `chain`: of a set that is encrypted. Throws
    /// NotFound or Corrupt, naming the object; Denied for want of the key.
    BlockReader(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                const ChainKeyPtr& chain = {}, const DirectoryOf& directory_of_others = {});

    const SetIndex& index() const { return index_; }
    /// Throws NotFound or Corrupt, naming the object, if one of those that the set's pages lie in is missing or has
    /// another size than the index says.
    void checkObjects() const;

    /// Reads frames as they are stored. Throws NotFound or Corrupt.
    void read(const WantedFrames& frames, const Buffer& into) const;
    /// Their plain bytes, one frame after another, at the beginning of the buffer. Throws Corrupt, naming the object,
    /// the offset in it and the file, whose path is in `files`. Waits for nothing.
    ByteView decode(const WantedFrames& frames, const Buffer& buffer, Codec& codec,
                    const std::vector<StoredFile>& files) const;

private:
    std::string objectName(const FramePlace& place) const;
    [[noreturn]] void failAt(const WantedFrame& frame, const std::vector<StoredFile>& files,
                             const std::string& what) const;

    storage::Storage& storage_;
    const SetIndex index_;
    std::vector<storage::Key> directories_;  ///< of the layers
    std::vector<LayerKey> keys_;             ///< likewise
};

}  // namespace tidemark::block
