#pragma once

#include <map>

#include "block/block_reader.h"

/// For tests.
namespace tidemark::block {

/// All files of a set, by path.
inline std::map<std::string, Bytes> readFiles(const BlockReader& reader, MemoryShare& memory) {
    const Buffer buffer = memory.take();
    Codec codec;
    ReadPlan plan(reader.index(), {});
    std::map<std::string, Bytes> files;
    for (const StoredFile& file : plan.files())
        files[file.path].resize(file.size);
    for (auto frames = plan.next(); !frames.empty(); frames = plan.next()) {
        reader.frames().read(frames, buffer);
        ByteView plain = reader.frames().decode(frames, buffer, codec, plan.files());
        for (const WantedFrame& frame : frames) {
            for (const WantedRun& run : frame.runs) {
                const ByteView pages = plain.subspan(run.offset, run.bytes);
                Bytes& file = files.at(plan.files()[run.file].path);
                std::copy(pages.begin(), pages.end(),
                          file.begin() + static_cast<std::ptrdiff_t>(std::uint64_t{run.first_page} * kPageSize));
            }
            plain = plain.subspan(frame.place.plain);
        }
    }
    return files;
}

inline std::map<std::string, Bytes> readFiles(storage::Storage& storage, const storage::Key& directory,
                                              std::uint32_t set_id, const ChainKeyPtr& chain = {}) {
    MemoryBudget budget;
    MemoryShare memory(budget, {.minimum = 1, .most = 1});
    return readFiles(BlockReader(storage, directory, set_id, chain), memory);
}

}  // namespace tidemark::block
