#pragma once

#include <filesystem>
#include <span>
#include <type_traits>

#include "base/file.h"

namespace tidemark::block {

/// A file without a name, for what a job has to remember and memory is too small for. It is gone with the process, also
/// after a crash. Any thread may use other bytes of it than another one.
class ScratchFile {
public:
    /// In `directory`; empty: in the system's temporary directory. Throws Denied, NoSpace, Unavailable.
    explicit ScratchFile(const std::filesystem::path& directory);

    void write(std::uint64_t offset, ByteView bytes) { writeAt(file_.get(), bytes, offset, name_); }
    /// What was never written is zeros.
    void read(std::uint64_t offset, std::span<std::uint8_t> into) const;

private:
    std::filesystem::path name_;  ///< for errors
    Fd file_;
};

/// Records of one size, by number.
template <typename Record>
class ScratchArray {
    static_assert(std::is_trivially_copyable_v<Record>);

public:
    explicit ScratchArray(const std::filesystem::path& directory) : file_(directory) {}

    void write(std::uint64_t number, std::span<const Record> records) {
        file_.write(number * sizeof(Record),
                    {reinterpret_cast<const std::uint8_t*>(records.data()), records.size() * sizeof(Record)});
    }
    void write(std::uint64_t number, const Record& record) { write(number, std::span(&record, 1)); }
    void read(std::uint64_t number, std::span<Record> into) const {
        file_.read(number * sizeof(Record),
                   {reinterpret_cast<std::uint8_t*>(into.data()), into.size() * sizeof(Record)});
    }
    Record read(std::uint64_t number) const {
        Record record;
        read(number, std::span(&record, 1));
        return record;
    }

private:
    ScratchFile file_;
};

}  // namespace tidemark::block
