#include "block/block_index.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "block/frame.h"
#include "block/index_format.h"
#include "block/stored_path.h"
#include "storage/newer_version.h"

namespace tidemark::block {
namespace {

constexpr std::uint64_t kReadSize = 1 << 20;

/// An object from its beginning to its end, in pieces of kReadSize.
class SequentialReader {
public:
    SequentialReader(storage::Storage& storage, storage::Key key) : storage_(storage), key_(std::move(key)) {
        const auto info = storage_.stat(key_);
        if (!info) throw Error(ErrorCode::NotFound, name() + " does not exist");
        size_ = info->size;
    }

    std::string name() const { return storage_.url() + "/" + key_; }
    /// XXH3 of everything up to the end.
    std::uint64_t checksum() const { return checksum_.value(); }
    bool atEnd() const { return used_ == buffer_.size() && read_ == size_; }

    /// Valid until the next call.
    ByteView take(std::size_t size) {
        if (buffer_.size() - used_ < size) fill(size);
        const ByteView taken = ByteView(buffer_).subspan(used_, size);
        used_ += size;
        return taken;
    }

private:
    void fill(std::size_t wanted) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ = 0;
        const std::uint64_t more = std::min(std::max<std::uint64_t>(kReadSize, wanted - buffer_.size()), size_ - read_);
        if (buffer_.size() + more < wanted)
            throw Error(ErrorCode::Corrupt, name() + " ends in the middle of a section");
        const std::size_t old = buffer_.size();
        buffer_.resize(old + more);
        storage_.read(key_, read_, std::span(buffer_).subspan(old));
        checksum_.add(ByteView(buffer_).subspan(old));
        read_ += more;
    }

    storage::Storage& storage_;
    const storage::Key key_;
    std::uint64_t size_ = 0;
    std::uint64_t read_ = 0;
    Bytes buffer_;
    std::size_t used_ = 0;
    RunningXxh3 checksum_;
};

}  // namespace

/// Reads and checks an index; each step throws Corrupt with what is wrong.
class IndexLoader {
public:
    IndexLoader(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                const IndexLimits& limits)
        : input_(storage, directory + kRangeIndexName), set_id_(set_id), limits_(limits) {}

    BlockIndex load() {
        readHeader();
        while (readSection()) {
        }
        index_.checksum_ = input_.checksum();
        sortAndCheck();
        return std::move(index_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorCode::Corrupt, input_.name() + ": " + what);
    }
    void require(bool good, const char* what) const {
        if (!good) fail(what);
    }

    ByteReader nextSection(SectionType& type) {
        Bytes whole;
        const ByteView head = input_.take(kSectionHead);
        whole.assign(head.begin(), head.end());
        ByteReader reader(head, "index section");
        type = static_cast<SectionType>(reader.u8());
        const std::uint32_t size = reader.u32();
        require(size <= kLargestSection, "a section is too long");
        const ByteView rest = input_.take(size + kSectionChecksum);
        whole.insert(whole.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
        require(ByteReader(rest.subspan(size), "index section").u64() == xxh3(whole),
                "a section's checksum does not fit");
        return {rest.first(size), "index section"};
    }

    void readHeader() {
        SectionType type{};
        ByteReader header = nextSection(type);
        require(type == SectionType::Header && textOf(header.bytes(kIndexMagic.size())) == kIndexMagic,
                "this is no range index");
        const std::uint16_t version = header.u16();
        if (version > kIndexVersion) throw storage::newerVersion(input_.name());
        require(version == kIndexVersion, "it is of a version that was never released");
        if (header.u32() != set_id_) fail("it belongs to another backup set than " + std::to_string(set_id_));
        require(header.u32() == kMacroBlockSize && header.u32() == kFrameSize && header.u32() == kPageSize,
                "its sizes are not those of this version");
    }

    /// False after the last one.
    bool readSection() {
        SectionType type{};
        ByteReader section = nextSection(type);
        switch (type) {
            case SectionType::Blocks:
                readBlocks(section);
                return true;
            case SectionType::Files:
                readFiles(section);
                return true;
            case SectionType::DataFiles:
                readDataFiles(section);
                return true;
            case SectionType::End:
                readEnd(section);
                return false;
            default:
                fail("a section is of an unknown kind");
        }
    }

    /// A number that has to fit into 32 bits.
    std::uint32_t small(ByteReader& section) const {
        const std::uint64_t value = section.varint();
        require(value <= UINT32_MAX, "a number is too large");
        return static_cast<std::uint32_t>(value);
    }

    void readBlocks(ByteReader& section) {
        while (!section.atEnd()) {
            require(index_.blocks_.size() < limits_.blocks, "it has more blocks than any backup set");
            BlockEntry entry;
            entry.id.file = small(section);
            entry.id.number = small(section);
            entry.data_file = small(section);
            entry.offset = section.varint();
            entry.plain_size = small(section);
            require(entry.plain_size > 0 && entry.plain_size <= kMacroBlockSize, "a block has an impossible size");
            for (std::size_t frame = 0; frame < entry.frameCount(); ++frame) {
                entry.frames[frame] = small(section);
                require(entry.frames[frame] <= FrameEncoder::largestFrame(), "a frame has an impossible size");
            }
            entry.hashes = next_hashes_;
            next_hashes_ += entry.pageCount() * kPageHashSize + kMetaChecksum;
            index_.blocks_.push_back(entry);
        }
    }

    void readFiles(ByteReader& section) {
        while (!section.atEnd()) {
            require(index_.files_.size() < limits_.files, "it has more files than any backup set");
            StoredFile file;
            file.number = small(section);
            file.size = section.varint();
            file.path = std::string(section.string());
            requireInnerPath(file.path, input_.name());
            require(file.size <= INT64_MAX, "a file has an impossible size");
            index_.files_.push_back(std::move(file));
        }
    }

    void readDataFiles(ByteReader& section) {
        while (!section.atEnd()) {
            require(index_.data_file_sizes_.size() < limits_.data_files, "it has more data files than any backup set");
            index_.data_file_sizes_.push_back(section.varint());
        }
    }

    void readEnd(ByteReader& section) {
        require(section.u64() == index_.blocks_.size() && section.u64() == index_.files_.size() &&
                    section.u64() == index_.data_file_sizes_.size(),
                "its counts do not fit its content");
        index_.meta_index_size_ = section.u64();
        require(index_.meta_index_size_ == next_hashes_, "the page hashes do not fit the blocks");
        require(section.atEnd() && input_.atEnd(), "something follows its end");
    }

    void sortAndCheck() {
        checkFiles();
        std::erase_if(index_.blocks_, [&](const BlockEntry& entry) { return index_.file(entry.id.file) == nullptr; });
        index_.by_id_.resize(index_.blocks_.size());
        for (std::uint32_t i = 0; i < index_.by_id_.size(); ++i)
            index_.by_id_[i] = i;
        std::sort(index_.by_id_.begin(), index_.by_id_.end(), [&](std::uint32_t a, std::uint32_t b) {
            const BlockId& left = index_.blocks_[a].id;
            const BlockId& right = index_.blocks_[b].id;
            return std::tie(left.file, left.number) < std::tie(right.file, right.number);
        });
        for (const BlockEntry& entry : index_.blocks_)
            checkPlace(entry);
        checkCompleteness();
    }

    void checkFiles() {
        std::unordered_set<std::string_view> paths;
        for (std::size_t i = 0; i < index_.files_.size(); ++i) {
            require(i == 0 || index_.files_[i - 1].number < index_.files_[i].number, "its files are out of order");
            if (!paths.insert(index_.files_[i].path).second) fail("it names '" + index_.files_[i].path + "' twice");
        }
    }

    void checkPlace(const BlockEntry& entry) const {
        require(entry.data_file < index_.data_file_sizes_.size(),
                "a block lies in a data file that is not in the list");
        const std::uint64_t size = index_.data_file_sizes_[entry.data_file];
        require(entry.offset <= size && entry.storedSize() <= size - entry.offset,
                "a block lies outside its data file");
    }

    /// Every live file has exactly the blocks that its size asks for.
    void checkCompleteness() const {
        std::size_t at = 0;
        for (const StoredFile& file : index_.files_) {
            for (std::uint64_t done = 0; done < file.size; ++at) {
                const std::uint64_t wanted = std::min<std::uint64_t>(kMacroBlockSize, file.size - done);
                const BlockEntry* entry = at < index_.by_id_.size() ? &index_.blocks_[index_.by_id_[at]] : nullptr;
                if (entry == nullptr || entry->id.file != file.number || entry->id.number != done / kMacroBlockSize ||
                    entry->plain_size != wanted) {
                    fail("block " + std::to_string(done / kMacroBlockSize) + " of " + file.path +
                         " is not as it should be");
                }
                done += wanted;
            }
        }
        require(at == index_.by_id_.size(), "a file has more blocks than its size asks for");
    }

    SequentialReader input_;
    const std::uint32_t set_id_;
    const IndexLimits limits_;
    BlockIndex index_;
    std::uint64_t next_hashes_ = kMetaHead;
};

BlockIndex BlockIndex::load(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                            const IndexLimits& limits) {
    try {
        return IndexLoader(storage, directory, set_id, limits).load();
    } catch (const Error& error) {
        // Of a number that does not end inside its section: say where.
        const std::string what = error.what();
        if (error.code() == ErrorCode::Corrupt && what.find(kRangeIndexName) == std::string::npos) {
            throw error.in(storage.url() + "/" + directory + kRangeIndexName);
        }
        throw;
    }
}

const StoredFile* BlockIndex::file(FileNumber number) const {
    const auto found = std::lower_bound(files_.begin(), files_.end(), number,
                                        [](const StoredFile& file, FileNumber wanted) { return file.number < wanted; });
    return found != files_.end() && found->number == number ? &*found : nullptr;
}

const StoredFile* BlockIndex::file(std::string_view path) const {
    const auto found =
        std::find_if(files_.begin(), files_.end(), [&](const StoredFile& file) { return file.path == path; });
    return found != files_.end() ? &*found : nullptr;
}

const BlockEntry* BlockIndex::block(BlockId id) const {
    const auto found = std::lower_bound(by_id_.begin(), by_id_.end(), id, [&](std::uint32_t at, const BlockId& wanted) {
        const BlockId& have = blocks_[at].id;
        return std::tie(have.file, have.number) < std::tie(wanted.file, wanted.number);
    });
    if (found == by_id_.end()) return nullptr;
    const BlockEntry& entry = blocks_[*found];
    return entry.id.file == id.file && entry.id.number == id.number ? &entry : nullptr;
}

}  // namespace tidemark::block
