#include "block/frame_reader.h"

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace tidemark::block {
namespace {

/// The page of a run that is not what was stored; nullopt if all are.
std::optional<std::uint32_t> wrongPage(const LayerKey& key, const WantedRun& run, ByteView bytes) {
    for (std::size_t i = 0; i < run.hashes.size(); ++i) {
        const std::size_t at = i * kPageSize;
        if (key.hashOf(bytes.subspan(at, std::min(kPageSize, bytes.size() - at))) != run.hashes[i]) {
            return static_cast<std::uint32_t>(run.first_page + i);
        }
    }
    return std::nullopt;
}

}  // namespace

void FrameReader::addLayer(const LayerId& layer, storage::Key directory) {
    layers_.push_back({layer, std::move(directory), LayerKey(chain_, layer)});
}

std::string FrameReader::objectName(const FramePlace& place) const {
    return layers_[place.layer].directory + dataFileName(place.object);
}

void FrameReader::read(const WantedFrames& frames, const Buffer& into) const {
    const FramePlace& first = frames.front().place;
    const FramePlace& last = frames.back().place;
    const std::uint64_t size = last.offset + last.stored - first.offset;
    storage_.read(objectName(first), first.offset, Codec::stored(into, size));
}

ByteView FrameReader::decode(const WantedFrames& frames, const Buffer& buffer, Codec& codec,
                             const std::vector<StoredFile>& files) const {
    std::vector<BufferedFrame> buffered;
    std::size_t size = 0;
    for (const WantedFrame& frame : frames) {
        const std::uint64_t layer = layers_[frame.place.layer].id.id;
        buffered.push_back({{PartKind::Frame, layer, frame.place.number}, frame.place.stored, frame.place.plain});
        size += frame.place.plain;
    }
    if (const auto damage = codec.decode(buffer, buffered, layers_[frames.front().place.layer].key))
        failAt(frames[damage->frame], files, damage->what);
    ByteView rest = buffer.all().first(size);
    for (const WantedFrame& frame : frames) {
        for (const WantedRun& run : frame.runs) {
            const auto page = wrongPage(layers_[frame.place.layer].key, run, rest.subspan(run.offset, run.bytes));
            if (page) failAt(frame, files, "page " + std::to_string(*page) + " is not what the index tells");
        }
        rest = rest.subspan(frame.place.plain);
    }
    return buffer.all().first(size);
}

std::string FrameReader::nameOf(const FramePlace& place) const {
    return storage_.url() + "/" + objectName(place) + " at byte " + std::to_string(place.offset);
}

Bytes FrameReader::readOne(const FramePlace& place) const {
    thread_local FrameDecoder decoder;
    const Layer& layer = layers_[place.layer];
    Bytes stored(place.stored);
    storage_.read(objectName(place), place.offset, stored);
    Bytes plain(place.plain);
    const std::string wrong = decoder.decode(stored, {PartKind::Frame, layer.id.id, place.number}, layer.key, plain);
    if (wrong.empty()) return plain;
    throw Error(ErrorCode::Corrupt, nameOf(place) + " is damaged: " + wrong);
}

void FrameReader::failAt(const WantedFrame& frame, const std::vector<StoredFile>& files,
                         const std::string& what) const {
    const WantedRun& run = frame.runs.front();
    const std::string path = run.file < files.size() ? files[run.file].path : "an unknown file";
    throw Error(ErrorCode::Corrupt,
                storage_.url() + "/" + objectName(frame.place) + " is damaged at byte " +
                    std::to_string(frame.place.offset) + ": the frame of " + path + " from byte " +
                    std::to_string(std::uint64_t{run.first_page} * kPageSize) + " on: " + what,
                "restore from another backup set, or from a copy of this object");
}

}  // namespace tidemark::block
