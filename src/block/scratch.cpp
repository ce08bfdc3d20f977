#include "block/scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace tidemark::block {
namespace {

/// Not every file system makes files without a name.
Fd openNameless(const std::filesystem::path& directory) {
    Fd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (file.valid()) return file;
    if (errno != EOPNOTSUPP && errno != EISDIR) throwErrno(errno, "making a scratch file in " + directory.string());
    std::string name = directory / ".scratch-XXXXXX";
    file = Fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!file.valid()) throwErrno(errno, "making a scratch file in " + directory.string());
    ::unlink(name.c_str());
    return file;
}

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& directory)
    : name_(directory.empty() ? std::filesystem::temp_directory_path() : directory), file_(openNameless(name_)) {
    name_ /= "(a scratch file)";
}

void ScratchFile::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
    const std::size_t done = readAt(file_.get(), into, offset, name_);
    std::fill(into.begin() + static_cast<std::ptrdiff_t>(done), into.end(), 0);
}

}  // namespace tidemark::block
