#include "block/set_index.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/hash.h"
#include "block/file_map.h"
#include "block/page_map.h"

namespace tidemark::block {
namespace {

/// What is read first of an index: most directories are shorter.
constexpr std::uint64_t kFirstRead = 256 << 10;
/// A group is read whole.
constexpr std::uint64_t kLargestGroup = 4 << 20;

/// Whether what is at (path, page) comes behind it.
bool isBehind(const std::string& path, std::uint32_t page, const std::string& other, std::uint32_t other_page) {
    return std::tie(path, page) > std::tie(other, other_page);
}

}  // namespace

SetIndex::SetIndex(storage::Storage& storage, storage::Key key, std::uint32_t set_id, const ChainKeyPtr& chain,
                   const IndexLimits& limits)
    : storage_(storage), key_(std::move(key)), limits_(limits) {
    const auto info = storage_.stat(key_);
    if (!info) throw Error(ErrorCode::NotFound, name() + " does not exist");
    if (info->size < kHeadSize + kTrailerSize) fail("it is too short");
    std::uint64_t first = info->size - std::min(info->size, kFirstRead);
    Bytes end = storage_.get(key_, first, info->size - first);
    const Trailer trailer = decodeTrailer(kIndexObject, ByteView(end).last(kTrailerSize), info->size, name());
    layer_ = trailer.layer;
    if (layer_.set != set_id) fail("it belongs to another backup set than " + std::to_string(set_id));
    if (trailer.end - trailer.begin > limits_.directory) fail("its directory is larger than that of any backup set");
    if (trailer.begin < first) {
        first = trailer.begin;
        end = storage_.get(key_, first, info->size - first);
    }
    layer_key_.emplace(chain, layer_, trailer.cipher, name());
    const auto stored = std::span(end).last(info->size - trailer.begin).first(trailer.end - trailer.begin);
    const auto directory = layer_key_->open({PartKind::Directory, layer_.id, 0}, stored);
    if (!directory) fail("its directory is damaged");
    checksum_ = xxh3(*directory);
    naming(name(), [&] { readDirectory(ByteReader(*directory, "directory"), trailer.begin); });
}

std::string SetIndex::name() const {
    return storage_.url() + "/" + key_;
}

void SetIndex::checkHead() const {
    const LayerId layer = decodeHead(kIndexObject, storage_.get(key_, 0, kHeadSize), 0, name()).layer;
    if (layer != layer_) fail("it has the head of another object");
}

void SetIndex::fail(const std::string& what) const {
    throw Error(ErrorCode::Corrupt, name() + ": " + what);
}

void SetIndex::readDirectory(ByteReader in, std::uint64_t end) {
    layers_ = decodeLayers(in, limits_, name());
    if (layers_.empty() || layers_.front().id != layer_) fail("it is the index of another backup set");
    totals_ = {.files = in.varint(), .bytes = in.varint(), .stored_pages = in.varint(), .frame_bytes = in.varint()};
    if (totals_.files > limits_.files) fail("it has more files than any backup set");
    const std::uint64_t count = in.varint();
    if (count > limits_.groups) fail("it has more groups than any backup set");
    std::uint64_t at = kHeadSize;
    for (std::uint64_t i = 0; i < count; ++i) {
        Group group{.first_path = std::string(in.string()), .first_page = in.varint32(), .offset = at};
        group.size = in.varint();
        if (group.size > kLargestGroup || group.size > end - at) fail("a group has an impossible size");
        if (i > 0 &&
            !isBehind(group.first_path, group.first_page, groups_.back().first_path, groups_.back().first_page))
            fail("its groups are not in order");
        at += group.size;
        groups_.push_back(std::move(group));
    }
    if (at != end || !in.atEnd()) fail("its directory does not tell all of it");
}

Bytes SetIndex::readGroup(std::size_t number) const {
    const Group& group = groups_[number];
    Bytes stored = storage_.get(key_, group.offset, group.size);
    const auto part = layer_key_->open({PartKind::Group, layer_.id, number}, stored);
    if (!part) fail("its group " + std::to_string(number) + " is damaged");
    stored.resize(part->size());
    return stored;
}

template <typename Visit>
void SetIndex::eachMapOf(std::size_t group, Visit visit) const {
    const Bytes bytes = readGroup(group);
    ByteReader in(bytes, "group of files");
    while (!in.atEnd())
        visit(naming(name(), [&] { return decodeFileMap(in, layers_, layer_key_->hashSize(), name()); }));
}

void SetIndex::eachMap(const std::function<void(const FileMap&)>& visit) const {
    IndexTotals seen;
    FileMap last;
    const auto take = [&](const FileMap& map) {
        const bool goes_on = map.first_page > 0;
        const std::uint32_t wanted = last.first_page + last.pages;
        if (goes_on ? map.path != last.path || map.size != last.size || map.first_page != wanted
                    : seen.files > 0 && (map.path <= last.path || partsOf(last.size, kPageSize) != wanted)) {
            fail("its files are not in order at " + map.path);
        }
        if (!goes_on) {
            ++seen.files;
            seen.bytes += map.size;
        }
        if (seen.files > totals_.files || seen.bytes > totals_.bytes) fail("it has more files than it should");
        seen.stored_pages += map.hashes.size();
        last = {.path = map.path, .size = map.size, .first_page = map.first_page, .pages = map.pages};
        visit(map);
    };
    for (std::size_t i = 0; i < groups_.size(); ++i)
        eachMapOf(i, take);
    if (seen.files != totals_.files || seen.bytes != totals_.bytes || seen.stored_pages != totals_.stored_pages ||
        partsOf(last.size, kPageSize) != last.first_page + std::uint64_t{last.pages}) {
        fail("it does not have all the files that it should");
    }
}

std::vector<FileMap> SetIndex::find(const std::string& path) const {
    auto group = std::lower_bound(groups_.begin(), groups_.end(), path,
                                  [](const Group& one, const std::string& wanted) { return one.first_path < wanted; });
    // The file may begin in the group before, and go on into later ones.
    if (group != groups_.begin()) --group;
    std::vector<FileMap> maps;
    for (; group != groups_.end() && group->first_path <= path; ++group) {
        eachMapOf(static_cast<std::size_t>(group - groups_.begin()), [&](FileMap map) {
            if (map.path == path) maps.push_back(std::move(map));
        });
    }
    return maps;
}

std::size_t SetIndex::groupOf(const std::string& path, std::uint32_t page) const {
    const auto behind = std::upper_bound(
        groups_.begin(), groups_.end(), std::tie(path, page),
        [](const auto& wanted, const Group& one) { return wanted < std::tie(one.first_path, one.first_page); });
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(behind - groups_.begin() - 1, 0));
}

std::vector<FileMap> SetIndex::group(std::size_t number) const {
    if (number >= groups_.size()) return {};
    std::vector<FileMap> maps;
    eachMapOf(number, [&](FileMap map) { maps.push_back(std::move(map)); });
    return maps;
}

}  // namespace tidemark::block
