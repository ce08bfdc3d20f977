#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace tidemark {

/// Owns a file descriptor. Movable; closes on destruction (errors of that close are ignored: sync first).
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd();

    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

/// open(2) with O_CLOEXEC; throws an Error made from errno, naming the path.
Fd openFile(const std::filesystem::path& path, int flags, unsigned mode = 0644);

/// Writes or reads all of it, going on after short transfers and EINTR. readAt returns less only at the end of file.
void writeAll(int fd, ByteView bytes, const std::filesystem::path& path);
void writeAt(int fd, ByteView bytes, std::uint64_t offset, const std::filesystem::path& path);
std::size_t readAt(int fd, std::span<std::uint8_t> into, std::uint64_t offset, const std::filesystem::path& path);

void syncFile(int fd, const std::filesystem::path& path);
/// Makes the names in a directory durable.
void syncDirectory(const std::filesystem::path& directory);

/// The whole file, or nullopt if there is none.
std::optional<std::string> readFile(const std::filesystem::path& path);

/// Replaces the file so that after a crash either the old or the new content is there: temporary file, fsync, rename,
/// fsync of the directory. `mode` is that of the new file.
void replaceFile(const std::filesystem::path& path, std::string_view content, unsigned mode = 0600);

}  // namespace tidemark
