#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>

namespace tidemark::server {

/// What an operator sets, from the command line and from the file named by --config (same names without the dashes,
/// TOML or INI; the command line wins). Only server/ knows it; other folders get small structs made from it.
struct Config {
    std::filesystem::path data_dir;  ///< absolute
    std::uint16_t port = 2881;       ///< 0: any free one
    std::string bind = "127.0.0.1";
    /// Of a new cluster. A data directory keeps the names it was made with.
    std::string zone = "zone1";
    std::string cluster_name = "tidemark";
    std::string log_level = "info";
    /// What tenant sys may use: MEMORY_SIZE and MAX_CPU of its unit; in force from the next start of its mariadbd on.
    std::uint64_t sys_memory = 128ULL << 20;
    double sys_cpu = 1;
    /// Threads that encode and decode for all jobs; 0: one per core, 16 at most.
    unsigned workers = 0;
    /// Length of an archive piece instead of PIECE_SWITCH_INTERVAL, whose least is a day; 0: not replaced. For tests.
    std::chrono::seconds piece_interval{0};
};

/// Where a daemon keeps its data unless it is told: /var/lib/tidemark for root, else $XDG_STATE_HOME/tidemark or
/// ~/.local/state/tidemark.
std::filesystem::path defaultDataDirectory();

/// The configuration, or the exit code of a program that has said what there is to say: 0 after --help and --version,
/// 64 (EX_USAGE) after a mistake on the command line, 78 (EX_CONFIG) after one in the file.
std::variant<Config, int> parseConfig(int argc, const char* const* argv);

}  // namespace tidemark::server
