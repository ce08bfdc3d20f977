#pragma once

#include <cstdint>
#include <span>

namespace tidemark::block {

/// Makes InnoDB's index pages smaller to compress: the number that every record carries of its place in the page's heap
/// becomes the difference to the record before it, so that records look alike (docs/format/macro_block.md). Changes
/// each whole 16 KiB of `bytes` that looks like such a page, in place; any bytes may look like one, and come back
/// unchanged from the other function.
void subtractHeapNumbers(std::span<std::uint8_t> bytes);

/// The inverse.
void addHeapNumbers(std::span<std::uint8_t> bytes);

}  // namespace tidemark::block
