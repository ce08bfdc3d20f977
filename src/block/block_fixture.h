#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "block/block_writer.h"
#include "block/frame_table.h"
#include "block/read_files.h"
#include "block/worker_pool.h"

/// For tests.
namespace tidemark::block {

inline const storage::Key kDirectory = "backup_set_1_full/blocks/";
constexpr std::uint32_t kSet = 1;

inline Bytes randomContent(std::mt19937& random, std::size_t size) {
    Bytes bytes(size);
    // Half of it compresses, as tables do.
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i % 64 < 32 ? random() : i >> 12);
    return bytes;
}

/// Reads everything that there is of a set.
inline std::map<std::string, Bytes> readAll(storage::Storage& storage, const ChainKeyPtr& chain = {}) {
    const BlockReader reader(storage, kDirectory, kSet, chain);
    for (const auto& object : reader.index().layers().front().objects)
        readFrameTable(storage, kDirectory + dataFileName(object.number), object.number, chain,
                       [](const FrameRecord&) {});
    const storage::Key index = kDirectory + kRangeIndexName;
    decodeHead(kIndexObject, storage.get(index, 0, kHeadSize), 0, reader.index().name());
    return readFiles(storage, kDirectory, kSet, chain);
}

class BlockTest : public ::testing::Test {
protected:
    ~BlockTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    BlockWriterOptions options() const {
        return {.directory = kDirectory, .set_id = kSet, .data_file_size = 1 << 20, .key = chain_};
    }

    /// A set of files of sizes around every border, sent interleaved in pieces of any size.
    std::map<std::string, Bytes> writeSample(storage::Storage& storage) {
        std::map<std::string, Bytes> files;
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, kPageSize, kPageSize + 1, kFrameSize - 1, kFrameSize, kMacroBlockSize - 1,
              kMacroBlockSize, kMacroBlockSize + 1, 2 * kMacroBlockSize, 5 * kMacroBlockSize + 12345}) {
            files["db/t" + std::to_string(size) + ".ibd"] = randomContent(random_, size);
        }
        BlockWriter writer(storage, lane_, options(), progress_);
        std::map<std::string, std::pair<FileNumber, std::size_t>> open;
        for (auto next = files.begin(); next != files.end() || !open.empty();) {
            for (; next != files.end() && open.size() < BlockWriter::kMostOpenBlocks / 2; ++next)
                open[next->first] = {writer.beginFile(next->first), 0};
            auto at = open.begin();
            std::advance(at, random_() % open.size());
            auto& [number, done] = at->second;
            const Bytes& content = files[at->first];
            const std::size_t size = std::min<std::size_t>(content.size() - done, random_() % (3 << 20));
            writer.add(number, done, ByteView(content).subspan(done, size));
            done += size;
            if (done < content.size()) continue;
            writer.endFile(number);
            open.erase(at);
        }
        result_ = writer.finish();
        return files;
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    WorkerPool pool_{3};
    Lane lane_{pool_};
    BlockProgress progress_;
    ChainKeyPtr chain_;  ///< with one, what is written is encrypted
    BlockWriterResult result_;
};

}  // namespace tidemark::block
