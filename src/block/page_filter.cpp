#include "block/page_filter.h"

#include "block/page.h"

namespace tidemark::block {
namespace {

// Of MariaDB's storage/innobase/include: fil0fil.h, page0types.h, page0page.h, rem0rec.h.
constexpr std::size_t kPageType = 24;        // FIL_PAGE_TYPE
constexpr std::uint16_t kIndexPage = 17855;  // FIL_PAGE_INDEX
constexpr std::size_t kHeapCount = 42;  // PAGE_HEADER + PAGE_N_HEAP, whose highest bit says: not ROW_FORMAT=REDUNDANT
constexpr std::uint8_t kCompact = 0x80;
constexpr std::size_t kFirstRecord = 99;  // PAGE_NEW_INFIMUM
constexpr std::size_t kRecordHeader = 5;  // REC_N_NEW_EXTRA_BYTES, before where a record begins
constexpr std::size_t kHeapNumber = 4;    // REC_NEW_HEAP_NO: so far before it, shifted left by 3 bits of status
constexpr std::size_t kNext = 2;          // REC_NEXT: so far before it, relative, modulo 64 KiB
constexpr std::uint16_t kOneNumber = 1 << 3;

std::uint16_t get(const std::uint8_t* at) {
    return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

void put(std::uint8_t* at, unsigned value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

/// Follows the records from the first one for as long as each lies behind the one before, which leaves everything that
/// the way depends on as it is, and no two fields overlap. `change` turns the number that is there and the number that
/// is expected into the number to put there, and stores the record's own number in the former.
template <typename Change>
void eachRecord(std::uint8_t* page, Change change) {
    if (get(page + kPageType) != kIndexPage || (page[kHeapCount] & kCompact) == 0) return;
    std::uint16_t expected = 0;
    for (std::size_t record = kFirstRecord;;) {
        std::uint8_t* field = page + record - kHeapNumber;
        std::uint16_t number = get(field);
        put(field, change(number, expected));
        expected = static_cast<std::uint16_t>((number & ~(kOneNumber - 1U)) + kOneNumber);
        const auto next = static_cast<std::uint16_t>(record + get(page + record - kNext));
        if (next < record + kRecordHeader || next > kPageSize) return;
        record = next;
    }
}

template <typename Change>
void eachPage(std::span<std::uint8_t> bytes, Change change) {
    for (; bytes.size() >= kPageSize; bytes = bytes.subspan(kPageSize))
        eachRecord(bytes.data(), change);
}

}  // namespace

void subtractHeapNumbers(std::span<std::uint8_t> bytes) {
    eachPage(bytes, [](std::uint16_t& number, std::uint16_t expected) { return unsigned{number} - expected; });
}

void addHeapNumbers(std::span<std::uint8_t> bytes) {
    eachPage(bytes, [](std::uint16_t& number, std::uint16_t expected) {
        number = static_cast<std::uint16_t>(number + expected);
        return unsigned{number};
    });
}

}  // namespace tidemark::block
