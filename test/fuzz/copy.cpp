#include <algorithm>
#include <map>
#include <set>

#include "backup/data_backup.h"
#include "base/hash.h"
#include "block/read_files.h"
#include "block/worker_pool.h"
#include "fuzz.h"
#include "source/mbstream.h"
#include "storage/memory_storage.h"

/// mariadb-backup's stream on its way into a backup set, and back.
namespace tidemark::fuzz {
namespace {

using source::Chunk;

constexpr backup_set::SetId kCopy{3, backup_set::SetKind::Full};

/// A stream that is there already.
class GivenStream : public source::Source {
public:
    explicit GivenStream(ByteView bytes)
        : rest_(bytes), parser_([this](std::span<std::uint8_t> into) {
              const std::size_t size = std::min(into.size(), rest_.size());
              std::copy_n(rest_.begin(), size, into.begin());
              rest_ = rest_.subspan(size);
              return size;
          }) {}

    source::SourceTotals measure() override { return {}; }
    void open(std::stop_token) override {}
    std::optional<Chunk> next() override { return parser_.next(); }
    void read(std::span<std::uint8_t> into) override { parser_.read(into); }
    source::SourceFacts finish() override {
        if (parser_.openFiles() != 0) throw Error(ErrorCode::Corrupt, "the stream ends before its files");
        return {};
    }

private:
    ByteView rest_;
    source::MbstreamParser parser_;
};

using Files = std::map<std::string, Bytes>;

/// What a stream that was accepted says, simply.
Files filesOf(ByteView stream) {
    GivenStream source(stream);
    Files files;
    std::set<std::string> open;
    while (const auto chunk = source.next()) {
        switch (chunk->kind) {
            case Chunk::Kind::Data: {
                if (open.insert(chunk->path).second) files.erase(chunk->path);
                Bytes& file = files[chunk->path];
                file.resize(std::max<std::size_t>(file.size(), chunk->offset + chunk->size));
                source.read(std::span(file).subspan(chunk->offset, chunk->size));
                break;
            }
            case Chunk::Kind::End:
                if (open.erase(chunk->path) == 0) files[chunk->path].clear();
                break;
            case Chunk::Kind::Rename:
                if (chunk->path == chunk->new_path || !files.contains(chunk->path)) break;
                files[chunk->new_path] = std::move(files[chunk->path]);
                files.erase(chunk->path);
                break;
            case Chunk::Kind::Remove: {
                std::string path = chunk->path;
                const bool pattern = path.ends_with('*');
                if (pattern) path.pop_back();
                std::erase_if(files, [&](const auto& file) {
                    return file.first.starts_with(pattern ? path : path + "/") || file.first == chunk->path;
                });
            }
        }
    }
    return files;
}

Files filesIn(storage::Storage& storage, block::Lane& lane) {
    const block::BlockReader reader(storage, backup_set::blockDirectory(kCopy), kCopy.number);
    reader.checkObjects();
    block::MemoryShare memory(lane.memory(), {.minimum = 1, .most = 1});
    return block::readFiles(reader, memory);
}

void runCopy(ByteView input) {
    static block::WorkerPool workers(1);
    static const bool kept = [] {
        // Buffers stay mapped between two inputs as long as somebody has a share.
        static const block::MemoryShare share(workers.memory(), {.minimum = 1, .most = 1});
        return true;
    }();
    requireThat(kept, "there is memory");
    block::Lane lane(workers);
    storage::MemoryStorage place;
    GivenStream source(input);
    backup::DataBackupProgress progress;
    const bool whole = accepted(
        [&] { backup::DataBackup(source, place, lane, {.set = kCopy, .data_file_size = 5000}, progress).run({}); });
    requireThat(progress.finished_tablets <= progress.total_tablets, "no more is done than there is");
    if (whole) promised([&] { requireThat(filesIn(place, lane) == filesOf(input), "what is stored is what came"); });
}

std::vector<Bytes> copySeeds() {
    ByteWriter out;
    const auto chunk = [&](char type, std::string_view path, std::uint8_t flags = 0) -> ByteWriter& {
        out.text("XBSTCK01").u8(flags).u8(static_cast<std::uint8_t>(type));
        return out.u32(static_cast<std::uint32_t>(path.size())).text(path);
    };
    const auto data = [&](std::string_view path, std::uint64_t offset, std::string_view content,
                          std::uint8_t flags = 0) {
        chunk('P', path, flags).u64(content.size()).u64(offset).u32(crc32(viewOf(content))).text(content);
    };
    // Of several chunks, so that each can be left out or come twice.
    std::vector<Bytes> all;
    data("./d/a.ibd", 0, "content of a table");
    data("d/a.ibd", 18, ", more of it");
    chunk('S', "d/a.ibd").u64(0);
    data("d/a.ibd", 0, "CONTENT");
    chunk('E', "d/a.ibd");
    all.push_back(out.data());
    data("d/b.frm", 0, std::string_view("\xfe\x01\x0a\x0c\0\0", 6));
    chunk('E', "d/b.frm");
    chunk('E', "d/empty");
    chunk('R', "d/b.frm").u32(7).text("d/c.frm");
    chunk('D', "d/e*");
    data("d/a.ibd", 0, "another", 2);
    chunk('E', "d/a.ibd");
    all.push_back(out.data());
    return all;
}

const Registered registered_copy({"copy", runCopy, copySeeds});

}  // namespace
}  // namespace tidemark::fuzz
