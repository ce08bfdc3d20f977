#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mysql/sql_client.h"

namespace tidemark::testing {

/// A directory below the system's temporary directory that is removed at the end of the test.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A real mariadbd for unit tests: row binlog with GTID, unix socket only, account root without password, small memory.
/// The data directory is copied from a template made once per machine and user. The constructor returns when it accepts
/// connections and throws if that takes over 60 s.
class MariadbServer {
public:
    /// `options` are added to the command line, e.g. "--gtid-domain-id=1002", "--port=…".
    explicit MariadbServer(std::vector<std::string> options = {});
    /// Starts on an existing data directory (a restored one, say), which is left in place at the end.
    MariadbServer(std::filesystem::path data_directory, std::vector<std::string> options);
    ~MariadbServer();
    MariadbServer(const MariadbServer&) = delete;
    MariadbServer& operator=(const MariadbServer&) = delete;

    void start();
    void stop();  ///< clean shutdown
    void kill();  ///< SIGKILL

    mysql::Endpoint endpoint() const;
    mysql::SqlClient connect() const { return mysql::SqlClient(endpoint()); }
    std::filesystem::path socket() const { return directory_.path() / "s"; }
    std::filesystem::path errorLog() const { return directory_.path() / "log"; }
    const std::filesystem::path& dataDirectory() const { return data_directory_; }
    pid_t pid() const { return pid_; }

private:
    TemporaryDirectory directory_;  // short name: a socket path has 107 bytes at most
    std::filesystem::path data_directory_;
    std::vector<std::string> options_;
    pid_t pid_ = -1;
};

}  // namespace tidemark::testing
