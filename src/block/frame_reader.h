#pragma once

#include "block/codec.h"
#include "block/layer_key.h"
#include "block/read_plan.h"
#include "storage/storage.h"

namespace tidemark::block {

/// Reads and decodes frames of several layers, which have numbers 0, 1, 2 … in the order in which they were added.
/// Thread-safe when all are.
class FrameReader {
public:
    /// `chain`: of sets that are encrypted.
    FrameReader(storage::Storage& storage, ChainKeyPtr chain) : storage_(storage), chain_(std::move(chain)) {}

    /// `directory` has the layer's data objects, and ends in '/'.
    void addLayer(const LayerId& layer, storage::Key directory);
    const storage::Key& directory(std::size_t layer) const { return layers_[layer].directory; }

    /// Reads frames as they are stored. Throws NotFound or Corrupt.
    void read(const WantedFrames& frames, const Buffer& into) const;
    /// Their plain bytes, one frame after another, at the beginning of the buffer. Throws Corrupt, naming the object,
    /// the offset in it and the file, whose path is in `files`. Waits for nothing.
    ByteView decode(const WantedFrames& frames, const Buffer& buffer, Codec& codec,
                    const std::vector<StoredFile>& files) const;

    /// The plain bytes of one frame, without the buffers of a job. Its checksum is verified; whether its pages are those
    /// that an index tells is for isPage to say. Throws NotFound, Unavailable, or Corrupt, naming the object.
    Bytes readOne(const FramePlace& place) const;
    /// Whether `bytes` are the page of that hash, in a layer that this one is of a chain with.
    bool isPage(std::uint16_t layer, ByteView bytes, const PageHash& hash) const {
        return layers_[layer].key.hashOf(bytes) == hash;
    }
    /// For errors: which object a frame is in, and where.
    std::string nameOf(const FramePlace& place) const;

private:
    struct Layer {
        LayerId id;
        storage::Key directory;
        LayerKey key;
    };

    std::string objectName(const FramePlace& place) const;
    [[noreturn]] void failAt(const WantedFrame& frame, const std::vector<StoredFile>& files,
                             const std::string& what) const;

    storage::Storage& storage_;
    const ChainKeyPtr chain_;
    std::vector<Layer> layers_;
};

}  // namespace tidemark::block
