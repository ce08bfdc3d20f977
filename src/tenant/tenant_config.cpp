#include "tenant/tenant_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace tidemark::tenant {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
/// Log arrives faster than it is applied, and what waits lies on the disk that all tenants share. Several times
/// max_binlog_size, which is also when a relay log is changed.
constexpr std::uint64_t kRelayLogSpace = kGiB;

/// What mariadbd takes with an empty buffer pool: measured 31 MiB, and some room for connections.
constexpr std::uint64_t kBaseMemory = 40 * kMiB;

/// A value in an option file: quoted, since an unquoted '#' begins a comment.
std::string quoted(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '\n' || c == '\r' || c == '"') {
            throw Error(ErrorCode::InvalidRequest,
                        "a line end or quote cannot stand in a setting of mariadbd: " + value);
        }
        if (c == '\\') text += '\\';
        text += c;
    }
    return text + "\"";
}

class Options {
public:
    Options& section(const char* why) {
        text_ += fmt::format("\n# {}\n", why);
        return *this;
    }
    Options& flag(const char* name) {
        text_ += fmt::format("{}\n", name);
        return *this;
    }
    Options& set(std::string_view name, const std::string& value) {
        text_ += fmt::format("{} = {}\n", name, quoted(value));
        return *this;
    }
    Options& set(std::string_view name, const char* value) { return set(name, std::string(value)); }
    Options& set(std::string_view name, const std::filesystem::path& value) { return set(name, value.string()); }
    Options& set(std::string_view name, std::uint64_t value) {
        text_ += fmt::format("{} = {}\n", name, value);
        return *this;
    }
    Options& on(std::string_view name, bool value) { return set(name, value ? "ON" : "OFF"); }

    const std::string& text() const { return text_; }

private:
    std::string text_;
};

unsigned processors(const TenantSettings& settings) {
    return static_cast<unsigned>(std::max(1.0, std::ceil(settings.max_cpu)));
}

void places(Options& options, const TenantSettings& settings) {
    options.section("where")
        .set("datadir", settings.paths.data())
        .set("tmpdir", settings.paths.temporary())
        .set("socket", settings.paths.socket())
        .set("pid-file", settings.paths.pidFile())
        .set("init-file", settings.paths.initFile());
    if (settings.as_root) options.set("user", "root");
}

void access(Options& options, const MemoryPlan& plan) {
    options.section("who may come in: the front only, by the socket in this 0700 directory; it says who the client is")
        .flag("skip-networking")
        .flag("skip-name-resolve")
        .set("proxy-protocol-networks", "localhost")
        // The front's own uid would pass for every client's: such accounts could be entered without a password.
        .on("unix_socket", false)
        // No path begins with this one: files of the host can neither be read nor written.
        .set("secure-file-priv", "/dev/null")
        .on("local-infile", true)
        .set("max_connections", plan.client_connections + kReservedConnections)
        // Accounts with CONNECTION ADMIN, that is the daemon, are not bound by it.
        .set("max_user_connections", plan.client_connections)
        .set("max_connect_errors", 4294967295ULL)
        .set("max_allowed_packet", 64 * kMiB);
}

void memory(Options& options, const MemoryPlan& plan) {
    options.section("memory: docs/decisions/tenant.md")
        .set("innodb_buffer_pool_size", plan.buffer_pool)
        .set("innodb_log_file_size", plan.redo_log)
        .set("innodb_log_buffer_size", plan.log_buffer)
        .set("key_buffer_size", plan.key_buffer)
        .set("aria_pagecache_buffer_size", plan.aria_page_cache)
        .set("tmp_table_size", plan.temporary_table)
        .set("max_heap_table_size", plan.temporary_table)
        .set("table_open_cache", plan.table_cache)
        .set("table_open_cache_instances", std::uint64_t{1})
        .on("performance_schema", false);
}

void cpu(Options& options, const TenantSettings& settings) {
    const std::uint64_t count = processors(settings);
    options.section("processors")
        .set("innodb_read_io_threads", std::min<std::uint64_t>(count, 4))
        .set("innodb_write_io_threads", std::min<std::uint64_t>(count, 4))
        .set("innodb_purge_threads", std::min<std::uint64_t>(count, 4))
        .set("thread_cache_size", std::min<std::uint64_t>(8 * count, 64));
}

/// What a session reads, and the log that a commit writes, is not bounded by it: a tenant waits for these.
void disk(Options& options, const TenantSettings& settings) {
    const IoPlan plan = planIo(settings);
    options.section("disk").set("innodb_io_capacity", plan.capacity).set("innodb_io_capacity_max", plan.capacity_max);
}

void identity(Options& options, const TenantSettings& settings) {
    options.section("log")
        .set("server_id", settings.server_id)
        .set("gtid_domain_id", static_cast<std::uint64_t>(settings.tenant))
        // A transaction out of order would be one that the archive cannot vouch for: stop rather than take it.
        .on("gtid_strict_mode", true)
        .set("binlog_format", "ROW")
        .set("binlog_row_image", "FULL")
        .on("binlog_annotate_row_events", true)
        .set("binlog_checksum", "CRC32")
        .set("max_binlog_size", 128 * kMiB)
        .set("expire_logs_days", std::uint64_t{0})  // the daemon purges what is archived
        .on("log_bin_trust_function_creators", true);
    if (!isDurable(settings.profile)) {
        options.flag("skip-log-bin");
    } else {
        // A standby keeps what it applies in its own binlog too, so that it can be archived once it is activated.
        options.set("log_bin", "bin").on("log_slave_updates", true).set("sync_binlog", std::uint64_t{1});
    }
}

void replication(Options& options, const TenantSettings& settings) {
    const bool replay = !isDurable(settings.profile);
    // On one or two processors parallel apply gained nothing (docs/decisions/tenant.md); a replay may use what the unit
    // has.
    const std::uint64_t threads = settings.max_cpu < 2 ? 0 : std::min(2 * processors(settings), replay ? 16U : 8U);
    options.section("replication")
        .flag("skip-slave-start")
        .set("relay_log", "relay")
        .on("relay_log_recovery", true)
        .set("relay_log_space_limit", kRelayLogSpace)
        .set("slave_parallel_threads", threads)
        .set("slave_parallel_mode", "optimistic")
        .on("read_only", settings.profile != Profile::Primary)
        .on("event_scheduler", settings.profile == Profile::Primary);
}

void durability(Options& options, Profile profile) {
    if (!isDurable(profile)) {
        // A crash makes the restore begin anew, so nothing has to survive one until the clean shutdown at the end.
        // Buffered reads find in the page cache what the restore has just written.
        options.section("replay: fast, not durable")
            .set("innodb_flush_log_at_trx_commit", std::uint64_t{0})
            .on("innodb_doublewrite", false)
            .set("innodb_flush_method", "fsync");
    } else {
        options.section("durability")
            .set("innodb_flush_log_at_trx_commit", std::uint64_t{1})
            .on("innodb_doublewrite", true)
            .set("innodb_flush_method", "O_DIRECT");
    }
}

/// Of a replay: what would refuse something that the source took, with whatever its sessions had set, since the log
/// does not carry these.
constexpr auto kAcceptance = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"innodb_strict_mode", "OFF"},
    {"max_heap_table_size", "1099511627776"},  // each session has its own limit when it makes a MEMORY table
    {"slave_max_allowed_packet", "1073741824"},
    {"max_allowed_packet", "1073741824"},  // of what the replay applies itself
    {"max_statement_time", "0"},
    {"lock_wait_timeout", "86400"},
    {"innodb_lock_wait_timeout", "50"},
    {"system_versioning_alter_history", "KEEP"},
    {"innodb_force_primary_key", "OFF"},
    {"innodb_read_only_compressed", "OFF"},
});

/// Behind the tenant's own settings, which come into force again with the standby's start.
void acceptance(Options& options) {
    options.section("replay: nothing is refused that the source took");
    for (const auto& [name, value] : kAcceptance)
        options.set(name, std::string(value));
}

}  // namespace

IoPlan planIo(const TenantSettings& settings) {
    if (settings.max_iops == 0 || !isDurable(settings.profile)) return {};
    return {.capacity = std::min(settings.min_iops, settings.max_iops), .capacity_max = settings.max_iops};
}

MemoryPlan planMemory(const TenantSettings& settings) {
    const std::uint64_t total = std::max(settings.memory_bytes, kLeastMemory);
    const bool replay = !isDurable(settings.profile);
    // A replay has no clients, so more of it goes to the pool.
    const std::uint64_t pool = (total - kBaseMemory) / 8 * (replay ? 7 : 6);
    const std::uint64_t log_disk = settings.log_disk_bytes == 0 ? 4 * kGiB : settings.log_disk_bytes;
    const std::uint64_t redo =
        replay ? std::clamp(total, 96 * kMiB, 2 * kGiB) : std::clamp(total / 4, 16 * kMiB, 2 * kGiB);
    MemoryPlan plan;
    plan.buffer_pool = pool / kMiB * kMiB;
    plan.redo_log = std::max(std::min(redo, log_disk / 2), 16 * kMiB) / kMiB * kMiB;
    plan.log_buffer = std::clamp(total / 32, 2 * kMiB, 16 * kMiB);
    plan.key_buffer = std::clamp(total / 64, kMiB, 64 * kMiB);
    plan.aria_page_cache = std::clamp(total / 32, 2 * kMiB, 128 * kMiB);
    plan.temporary_table = std::clamp(total / 64, kMiB, 32 * kMiB);
    plan.table_cache = static_cast<unsigned>(std::clamp<std::uint64_t>(total / (kMiB / 4), 256, 4000));
    plan.client_connections = static_cast<unsigned>(std::clamp<std::uint64_t>(total / kMiB, 50, 4000));
    return plan;
}

bool isFixedInReplay(std::string_view option) {
    return std::ranges::any_of(kAcceptance, [&](const auto& fixed) { return fixed.first == option; });
}

std::string configText(const TenantSettings& settings) {
    const MemoryPlan plan = planMemory(settings);
    Options options;
    options.section("Made by tidemarkd at every start of this tenant; what is changed here is lost.")
        .flag("[mariadbd]");
    places(options, settings);
    access(options, plan);
    identity(options, settings);
    replication(options, settings);
    durability(options, settings.profile);
    memory(options, plan);
    cpu(options, settings);
    disk(options, settings);
    options.section("names and characters")
        .set("lower_case_table_names", std::uint64_t{1})
        .set("character_set_server", settings.charset)
        .set("collation_server", settings.collation);
    if (settings.mode == catalog::CompatibilityMode::Oracle) {
        options.section("ORACLE mode").set("sql_mode", kOracleSqlMode);
    }
    // After what they may replace: of an option given twice the last counts.
    options.section("chosen by the tenant's creator");
    for (const auto& [name, value] : settings.variables) {
        if (name != "time_zone") options.set(name, value);  // see timeZoneSql()
    }
    if (!isDurable(settings.profile)) acceptance(options);
    return options.text();
}

}  // namespace tidemark::tenant
