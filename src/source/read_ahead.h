#pragma once

#include <filesystem>
#include <stop_token>
#include <thread>

namespace tidemark::source {

/// Reads, into the page cache and beside mariadb-backup, what that reads there one small file after the other, each
/// time waiting for the disk: the beginning of every tablespace when it begins, the definitions of tables when it
/// blocks DDL.
///
/// Has no more on its way than one of the parts in which tablespaces are copied (src/small_reads). Whatever fails is
/// left to mariadb-backup. Ends with its last file, or when it is destroyed.
class ReadAhead {
public:
    explicit ReadAhead(std::filesystem::path data_directory);

private:
    void run(const std::stop_token& stop) const;
    void readAll(const char* extension, const std::stop_token& stop) const;

    const std::filesystem::path data_directory_;
    std::jthread thread_;  ///< last: it uses the other
};

}  // namespace tidemark::source
