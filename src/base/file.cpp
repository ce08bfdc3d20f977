#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace tidemark {

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Fd openFile(const std::filesystem::path& path, int flags, unsigned mode) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0) throwErrno(errno, "opening " + path.string());
    return Fd(fd);
}

void writeAll(int fd, ByteView bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throwErrno(errno, "writing " + path.string());
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void writeAt(int fd, ByteView bytes, std::uint64_t offset, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throwErrno(errno, "writing " + path.string());
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
}

std::size_t readAt(int fd, std::span<std::uint8_t> into, std::uint64_t offset, const std::filesystem::path& path) {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throwErrno(errno, "reading " + path.string());
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void syncFile(int fd, const std::filesystem::path& path) {
    if (::fsync(fd) != 0) throwErrno(errno, "syncing " + path.string());
}

void syncDirectory(const std::filesystem::path& directory) {
    const Fd fd = openFile(directory, O_RDONLY | O_DIRECTORY);
    syncFile(fd.get(), directory);
}

std::optional<std::string> readFile(const std::filesystem::path& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid() && errno == ENOENT) return std::nullopt;
    if (!fd.valid()) throwErrno(errno, "opening " + path.string());
    std::string content;
    char buffer[65536];
    for (;;) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throwErrno(errno, "reading " + path.string());
        if (got == 0) return content;
        content.append(buffer, static_cast<std::size_t>(got));
    }
}

void replaceFile(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    const std::filesystem::path temporary = path.string() + ".tmp";
    {
        const Fd fd = openFile(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
        writeAll(fd.get(), viewOf(content), temporary);
        syncFile(fd.get(), temporary);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) throwErrno(errno, "renaming " + temporary.string());
    syncDirectory(path.parent_path());
}

}  // namespace tidemark
