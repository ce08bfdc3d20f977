#include "block/read_plan.h"

#include <algorithm>

#include "base/error.h"
#include "block/page_hash.h"

namespace tidemark::block {
namespace {

void encode(ByteWriter& out, const FramePlace& place, const WantedRun& run) {
    out.varint(place.number).varint(place.offset).varint(place.stored).varint(place.plain);
    out.varint(run.file).varint(run.first_page).varint(run.bytes).varint(run.offset);
    for (const PageHash& hash : run.hashes)
        putHash(out, hash, sizeof hash);
}

std::pair<FramePlace, WantedRun> decode(ByteReader& in) {
    FramePlace place{
        .number = in.varint32(), .object = 0, .offset = in.varint(), .stored = in.varint32(), .plain = in.varint32()};
    WantedRun run{.file = in.varint32(),
                  .first_page = in.varint32(),
                  .bytes = in.varint32(),
                  .offset = in.varint32(),
                  .hashes = {}};
    for (std::uint64_t pages = partsOf(run.bytes, kPageSize); pages > 0; --pages)
        run.hashes.push_back(takeHash(in, sizeof(PageHash)));
    return {place, std::move(run)};
}

}  // namespace

ReadPlan::ReadPlan(const SetIndex& index, const std::filesystem::path& scratch)
    : ReadPlan(index.name(), {}, scratch) {
    index.eachMap([this](const FileMap& map) { add(map); });
    for (std::size_t log = 0; log < logs_.count(); ++log)
        reads_ += readsOf(log).size();
}

ReadPlan::ReadPlan(std::string name, std::vector<StoredFile> files, const std::filesystem::path& scratch)
    : name_(std::move(name)), logs_(scratch), files_(std::move(files)) {}

void ReadPlan::add(const FramePlace& frame, const WantedRun& run) {
    ByteWriter record;
    encode(record, frame, run);
    logs_.append(logOf(frame), record.data());
}

std::size_t ReadPlan::logOf(const FramePlace& frame) {
    const auto [found, is_new] = log_of_.try_emplace({frame.layer, frame.object}, objects_.size());
    if (is_new) objects_.emplace_back(frame.layer, frame.object);
    return found->second;
}

void ReadPlan::add(const FileMap& map) {
    if (map.first_page == 0) files_.push_back({static_cast<FileNumber>(files_.size()), map.path, map.size});
    auto hash = map.hashes.begin();
    for (const PageRun& run : map.runs) {
        if (!run.frame) continue;
        const WantedRun wanted{.file = files_.back().number,
                               .first_page = run.first_page,
                               .bytes = static_cast<std::uint32_t>(map.bytesOf(run)),
                               .offset = run.offset,
                               .hashes = {hash, hash + run.pages}};
        hash += run.pages;
        add(map.frames[*run.frame], wanted);
    }
}

std::vector<WantedFrames> ReadPlan::readsOf(std::size_t log) const {
    const Bytes bytes = logs_.read(log);
    std::map<std::uint64_t, WantedFrame> frames;  // by offset
    for (ByteReader in(bytes, "plan of a restore"); !in.atEnd();) {
        auto [place, run] = decode(in);
        place.layer = objects_[log].first;
        place.object = objects_[log].second;
        WantedFrame& frame = frames[place.offset];
        const FramePlace& known = frame.runs.empty() ? place : frame.place;
        if (known.number != place.number || known.stored != place.stored || known.plain != place.plain) {
            throw Error(ErrorCode::Corrupt, name_ + " contradicts itself about a frame at byte " +
                                                std::to_string(place.offset) + " of data file " +
                                                std::to_string(place.object));
        }
        frame.place = place;
        frame.runs.push_back(std::move(run));
    }
    std::vector<WantedFrames> reads;
    for (auto& [offset, frame] : frames) {
        const bool goes_on = !reads.empty() && reads.back().size() < Codec::kMostFrames &&
                             reads.back().back().place.offset + reads.back().back().place.stored == offset;
        if (!goes_on) reads.emplace_back();
        reads.back().push_back(std::move(frame));
    }
    return reads;
}

WantedFrames ReadPlan::next() {
    while (ready_.empty()) {
        if (next_log_ == logs_.count()) return {};
        ready_ = readsOf(next_log_++);
        std::reverse(ready_.begin(), ready_.end());
    }
    WantedFrames frames = std::move(ready_.back());
    ready_.pop_back();
    return frames;
}

}  // namespace tidemark::block
