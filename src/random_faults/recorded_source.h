#pragma once

#include <functional>

#include "base/bytes.h"
#include "source/mbstream.h"

namespace tidemark::random_faults {

/// Plays an mbstream as MariadbBackupSource does with that of its program. Used by one thread.
class RecordedSource : public source::Source {
public:
    struct Faults {
        std::size_t ends_after = SIZE_MAX;  ///< bytes: the program died
        /// Before so many bytes of the stream are there, this is called.
        std::size_t calls_after = SIZE_MAX;
        std::function<void()> call = {};
    };

    RecordedSource(const Bytes& stream, Faults faults);

    source::SourceTotals measure() override { return {}; }
    void open(std::stop_token stop) override { stop_ = std::move(stop); }
    std::optional<source::Chunk> next() override { return parser_.next(); }
    void read(std::span<std::uint8_t> into) override { parser_.read(into); }
    source::SourceFacts finish() override;

private:
    std::size_t pull(std::span<std::uint8_t> into);

    const Bytes& stream_;
    const Faults faults_;
    std::size_t at_ = 0;
    std::stop_token stop_;
    source::MbstreamParser parser_;
};

}  // namespace tidemark::random_faults
