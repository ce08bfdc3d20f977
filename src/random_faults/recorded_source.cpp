#include "random_faults/recorded_source.h"

#include <algorithm>

#include "base/error.h"
#include "base/require_going.h"

namespace tidemark::random_faults {

RecordedSource::RecordedSource(const Bytes& stream, Faults faults)
    : stream_(stream), faults_(std::move(faults)), parser_([this](auto into) { return pull(into); }) {}

std::size_t RecordedSource::pull(std::span<std::uint8_t> into) {
    requireGoing(stop_, "the source was stopped");
    const std::size_t size = std::min({into.size(), stream_.size() - at_, std::size_t{64} << 10});
    if (at_ < faults_.calls_after && at_ + size >= faults_.calls_after && faults_.call) faults_.call();
    // What dies in the midst of a chunk is seen by the parser; what dies between two of them by finish().
    if (at_ + size > faults_.ends_after) throw Error(ErrorCode::Unavailable, "the source has died");
    std::copy_n(stream_.begin() + static_cast<std::ptrdiff_t>(at_), size, into.begin());
    at_ += size;
    return size;
}

source::SourceFacts RecordedSource::finish() {
    requireGoing(stop_, "the source was stopped");
    if (at_ < stream_.size() || parser_.openFiles() > 0) throw Error(ErrorCode::Unavailable, "the source ended early");
    return {.gtid = "1002-101-7", .server_version = "10.11"};
}

}  // namespace tidemark::random_faults
