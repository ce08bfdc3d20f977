#include "targets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tidemark::fuzz {

std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}

Registered::Registered(Target target) {
    targets().push_back(target);
}

void requireThat(bool kept, const char* what) {
    if (kept) return;
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
}

void requireAnswer(const Error& error) {
    if (error.code() != ErrorCode::Internal || error.sql()) return;
    std::fprintf(stderr, "a defect: %s\n", error.what());
    std::abort();
}

std::uint8_t Choices::byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
}

std::uint32_t Choices::number() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
        value = value << 8 | byte();
    return value;
}

ByteView Choices::part() {
    return take(byte());
}

ByteView Choices::longPart() {
    const std::size_t high = byte();
    return take(high << 8 | byte());
}

ByteView Choices::take(std::size_t size) {
    const ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
}

Bytes bytesOf(std::string_view text) {
    const ByteView view = viewOf(text);
    return {view.begin(), view.end()};
}

std::vector<Bytes> seedsOf(std::initializer_list<std::string_view> texts) {
    std::vector<Bytes> seeds;
    for (const auto text : texts)
        seeds.push_back(bytesOf(text));
    return seeds;
}

}  // namespace tidemark::fuzz
