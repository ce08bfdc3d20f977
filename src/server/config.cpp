#include "server/config.h"

#include <arpa/inet.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "base/crash_point.h"
#include "base/version.h"
#include "block/worker_pool.h"
#include "tenant/tenant_config.h"

namespace tidemark::server {
namespace {

namespace fs = std::filesystem;

std::string checkAddress(const std::string& address) {
    unsigned char parsed[16];
    if (inet_pton(AF_INET, address.c_str(), parsed) == 1 || inet_pton(AF_INET6, address.c_str(), parsed) == 1)
        return {};
    return "'" + address + "' is no numeric IPv4 or IPv6 address";
}

/// Names appear in views, in URIs and in the names of objects at a destination.
std::string checkName(const std::string& name) {
    const auto allowed = [](unsigned char c) {
        return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.');
    };
    if (!name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), allowed)) return {};
    return "'" + name + "' is not 1 to 128 letters, digits and any of _-.";
}

void addOptions(CLI::App& app, Config& config) {
    app.set_config("--config", "", "Read these options from a TOML or INI file (names without the dashes)");
    app.allow_config_extras(CLI::config_extras_mode::error);  // a misspelt name must not go unnoticed
    app.add_option("--data-dir", config.data_dir, "Where everything is kept")->capture_default_str();
    app.add_option("--port", config.port, "Port for MySQL clients; 0: any free one")->capture_default_str();
    app.add_option("--bind", config.bind, "Address to listen on")->check(checkAddress)->capture_default_str();
    app.add_option("--zone", config.zone, "Zone of a new cluster's first node")
        ->check(checkName)
        ->capture_default_str();
    app.add_option("--cluster-name", config.cluster_name, "Name of a new cluster")
        ->check(checkName)
        ->capture_default_str();
    app.add_option("--log-level", config.log_level, "error, warn, info or debug")
        ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
        ->capture_default_str();
    app.add_option("--sys-memory", config.sys_memory, "Memory of tenant sys, e.g. 256MB")
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::Range(tenant::kLeastMemory, std::uint64_t{1} << 40))
        ->default_str("128MB");
    app.add_option("--sys-cpu", config.sys_cpu, "Processors of tenant sys")
        ->check(CLI::Range(1.0, 1024.0))
        ->capture_default_str();
    app.add_option("--workers", config.workers, "Threads that encode backups and decode restores; 0: one per core")
        ->check(CLI::Range(0U, block::WorkerPool::kMostThreads))
        ->capture_default_str();
    app.add_option_function<std::int64_t>(
           "--piece-interval",
           [&config](std::int64_t seconds) { config.piece_interval = std::chrono::seconds(seconds); },
           "Length of an archive piece in seconds, instead of PIECE_SWITCH_INTERVAL; for tests")
        ->check(CLI::Range(1, 86'400))
        ->default_str("86400");
    const auto list = [] {
        for (const std::string_view name : kCrashPoints)
            std::cout << name << '\n';
        throw CLI::Success();
    };
    app.add_flag_callback("--crash-points", list)->group("");  // for the test that visits them all
}

}  // namespace

fs::path defaultDataDirectory() {
    if (geteuid() == 0) return "/var/lib/tidemark";
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') return fs::path(state) / "tidemark";
    const char* home = std::getenv("HOME");
    return fs::path(home != nullptr ? home : "/") / ".local/state/tidemark";
}

std::variant<Config, int> parseConfig(int argc, const char* const* argv) {
    Config config;
    config.data_dir = defaultDataDirectory();
    CLI::App app(
        "Backup, log archive and restore for MariaDB, in SQL: the node. It runs in the foreground and logs to stderr; "
        "SIGTERM ends it and leaves the databases up.",
        "tidemarkd");
    app.set_version_flag("--version", kVersion);
    addOptions(app, config);
    try {
        app.parse(argc, argv);
    } catch (const CLI::FileError& error) {
        app.exit(error);
        return EX_CONFIG;
    } catch (const CLI::ConfigError& error) {
        app.exit(error);
        return EX_CONFIG;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : EX_USAGE;
    }
    if (config.data_dir.empty()) {
        std::cerr << "--data-dir is empty\n";
        return EX_USAGE;
    }
    config.data_dir = fs::absolute(config.data_dir).lexically_normal();
    if (config.data_dir.filename().empty()) config.data_dir = config.data_dir.parent_path();
    return config;
}

}  // namespace tidemark::server
