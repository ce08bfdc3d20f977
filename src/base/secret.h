#pragma once

#include <string_view>

#include "base/bytes.h"

namespace tidemark {

/// Bytes that nobody else is to see: a key, a password. They lie in pages of their own, which are not swapped out (as
/// far as the limit of locked memory allows) nor written to core files, and are wiped at the end. Movable, not copied
/// but by name. Not thread-safe; any number of threads may read.
class Secret {
public:
    Secret() = default;
    /// Zeros.
    explicit Secret(std::size_t size);
    static Secret copyOf(ByteView bytes);
    static Secret random(std::size_t size);

    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    std::span<std::uint8_t> bytes() { return {bytes_, size_}; }
    ByteView bytes() const { return {bytes_, size_}; }
    std::string_view text() const { return textOf(bytes()); }
    Secret copy() const { return copyOf(bytes()); }

private:
    std::uint8_t* bytes_ = nullptr;
    std::size_t size_ = 0;
};

/// Overwrites what is needed no more, so that the compiler does not leave it out.
void wipe(std::span<std::uint8_t> bytes);
/// All that the text has room for, which it is then empty of.
void wipe(std::string& text);
void wipe(Bytes& bytes);

/// Wipes a text or bytes at the end of its scope, however that is left.
template <typename Container>
class Wiped {
public:
    explicit Wiped(Container& container) : container_(container) {}
    ~Wiped() { wipe(container_); }
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;

private:
    Container& container_;
};

}  // namespace tidemark
