#include "testing/mariadb_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/process.h"

namespace tidemark::testing {
namespace {

namespace fs = std::filesystem;

/// Made once and kept, since mariadb-install-db takes about three seconds.
fs::path templateDirectory() {
    const fs::path base = fs::temp_directory_path() / ("tidemark-unit-template-" + std::to_string(geteuid()));
    const Fd lock = openFile(base.string() + ".lock", O_RDWR | O_CREAT, 0600);
    flock(lock.get(), LOCK_EX);
    if (!fs::exists(base)) {
        const fs::path making = base.string() + ".making";
        fs::remove_all(making);
        // Of its own: a mariadbd that starts deletes all #sql* files in its tmpdir, and tests run side by side.
        const TemporaryDirectory tmpdir;
        runProgram({.arguments = {"mariadb-install-db", "--no-defaults", "--datadir=" + making.string(),
                                  "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                                  "--innodb-log-file-size=16M", "--tmpdir=" + tmpdir.path().string()}});
        fs::rename(making, base);
    }
    return base;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "tidemark-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throwErrno(errno, "making a temporary directory");
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

MariadbServer::MariadbServer(std::vector<std::string> options)
    : data_directory_(directory_.path() / "data"), options_(std::move(options)) {
    fs::copy(templateDirectory(), data_directory_, fs::copy_options::recursive);
    start();
}

MariadbServer::MariadbServer(fs::path data_directory, std::vector<std::string> options)
    : data_directory_(std::move(data_directory)), options_(std::move(options)) {
    start();
}

MariadbServer::~MariadbServer() {
    if (pid_ > 0) kill();
}

void MariadbServer::start() {
    Command command;
    command.arguments = {"mariadbd",
                         "--no-defaults",
                         "--datadir=" + data_directory_.string(),
                         "--socket=" + socket().string(),
                         "--pid-file=" + (directory_.path() / "pid").string(),
                         "--tmpdir=" + directory_.path().string(),
                         "--skip-networking",
                         "--log-bin=bin",
                         "--binlog-format=ROW",
                         "--server-id=101",
                         "--gtid-domain-id=1002",
                         "--innodb-buffer-pool-size=64M",
                         "--innodb-log-file-size=16M",
                         "--performance-schema=OFF",
                         "--skip-name-resolve",
                         "--binlog-checksum=CRC32",
                         "--lower-case-table-names=1"};
    if (geteuid() == 0) command.arguments.push_back("--user=root");
    command.arguments.insert(command.arguments.end(), options_.begin(), options_.end());
    command.stderr_file = directory_.path() / "log";
    pid_ = startDetached(command);
    const auto handle = ProcessHandle::open(pid_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
        try {
            connect();
            return;
        } catch (const Error&) {
            if (!handle || handle->ended() || std::chrono::steady_clock::now() > deadline) {
                throw Error(ErrorCode::Internal,
                            "mariadbd did not start: " + readFile(directory_.path() / "log").value_or("no log"));
            }
        }
        // There is no event for "accepts connections"; ended() returns early if the process dies.
        handle->ended(std::chrono::milliseconds(20));
    }
}

void MariadbServer::stop() {
    const auto handle = ProcessHandle::open(pid_);
    if (handle) {
        handle->kill(SIGTERM);
        if (!handle->ended(std::chrono::seconds(60))) throw Error(ErrorCode::Internal, "mariadbd did not stop in 60 s");
    }
    pid_ = -1;
}

void MariadbServer::kill() {
    const auto handle = ProcessHandle::open(pid_);
    if (handle) {
        handle->kill(SIGKILL);
        handle->ended(std::chrono::seconds(10));
    }
    pid_ = -1;
}

mysql::Endpoint MariadbServer::endpoint() const {
    mysql::Endpoint endpoint;
    endpoint.socket = socket().string();
    endpoint.user = "root";
    return endpoint;
}

}  // namespace tidemark::testing
