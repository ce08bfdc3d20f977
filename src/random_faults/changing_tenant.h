#pragma once

#include <map>
#include <random>
#include <string>

#include "base/bytes.h"

namespace tidemark::random_faults {

/// The files of a data directory, by path.
using Files = std::map<std::string, Bytes>;

/// A tenant whose tables change, page by page and file by file, and what mariadb-backup would send of it. The same
/// seed makes the same. Not thread-safe.
class ChangingTenant {
public:
    explicit ChangingTenant(std::uint64_t seed);

    /// Some pages become others; tables are made, dropped, renamed, truncated, and grow.
    void change();
    const Files& files() const { return files_; }

    /// An mbstream of the files as they are: interleaved, in chunks of any size; with tables that were renamed and
    /// dropped while it ran.
    Bytes stream();

private:
    Bytes content(std::size_t size);
    std::size_t anySize();
    std::string newTable();
    void changeFile(Bytes& file);
    Bytes& anyFile();

    std::mt19937_64 random_;
    Files files_;
    int tables_ = 0;
};

}  // namespace tidemark::random_faults
