#pragma once

#include <string>

#include "block/frame_table.h"
#include "block/read_plan.h"

namespace tidemark::validate {

/// The frames of a ReadPlan one by one: object after object, in the order in which they lie. Not thread-safe.
class PlanCursor {
public:
    explicit PlanCursor(block::ReadPlan& plan) : plan_(plan) {}

    /// nullptr at the end.
    const block::WantedFrame* peek() {
        if (next_ == frames_.size()) {
            frames_ = plan_.next();
            next_ = 0;
        }
        return frames_.empty() ? nullptr : &frames_[next_];
    }
    void pop() { ++next_; }
    /// The same, as long as it lies in this object.
    const block::WantedFrame* peekIn(std::uint16_t layer, std::uint32_t object) {
        const block::WantedFrame* frame = peek();
        return frame != nullptr && frame->place.layer == layer && frame->place.object == object ? frame : nullptr;
    }

private:
    block::ReadPlan& plan_;
    block::WantedFrames frames_;
    std::size_t next_ = 0;
};

/// What an index says of a frame and the table of its object does not, or says differently; empty: nothing.
std::string contradiction(const block::WantedFrame& wanted, const block::FrameRecord& frame);

}  // namespace tidemark::validate
