#include "catalog/parameter.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

constexpr std::int64_t kMicros = 1;
constexpr std::int64_t kSecondInMicros = 1'000'000;
constexpr std::int64_t kMega = 1LL << 20;
constexpr std::int64_t kGiga = 1LL << 30;
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

using enum ParameterType;
constexpr auto kTenant = ParameterScope::Tenant;
constexpr auto kCluster = ParameterScope::Cluster;

// Ranges and defaults: OceanBase V4.3.3 parameter reference.
constexpr std::array kDefinitions = {
    ParameterDefinition{"archive_lag_target", Time, kTenant, "120s", 0, 7200 * kSecondInMicros, "LOG_ARCHIVE",
                        "how far the log archive may lag behind before it is written out"},
    ParameterDefinition{"backup_clean_interval", Time, kCluster, "1h", kSecondInMicros, 24 * 3600 * kSecondInMicros,
                        "BACKUP", "how often delete policies are followed"},
    ParameterDefinition{"backup_data_file_size", Capacity, kTenant, "4G", 512 * kMega, 4 * kGiga, "BACKUP",
                        "size at which data files of a backup are cut"},
    // backup_net_limit is OceanBase's before 4.0 (since then: a percentage of the network card); the other limits are
    // Tidemark's, as is backup_clean_interval.
    ParameterDefinition{"backup_io_limit", Capacity, kCluster, "0M", 0, kNoLimit, "BACKUP",
                        "bytes of tenants' files per second that all backups together may read; 0: no limit"},
    ParameterDefinition{"backup_key_file", File, kTenant, "", 0, 0, "BACKUP",
                        "file on the node with the key that encrypts a tenant's backups; made when it is set"},
    ParameterDefinition{"backup_net_limit", Capacity, kCluster, "0M", 0, kNoLimit, "BACKUP",
                        "bytes per second that all backups together may write to destinations; 0: no limit"},
    ParameterDefinition{"compatible", Version, kTenant, "4.3.3.0", 0, 0, "ROOT_SERVICE",
                        "the OceanBase version whose statements and views are served"},
    ParameterDefinition{"ha_high_thread_score", Int, kTenant, "0", 0, 100, "RESTORE",
                        "share of a restore in the node's workers, by weight; 0: 8"},
    ParameterDefinition{"ha_low_thread_score", Int, kTenant, "0", 0, 100, "BACKUP",
                        "share of a backup in the node's workers, by weight; 0: 2"},
    ParameterDefinition{"ha_mid_thread_score", Int, kTenant, "0", 0, 100, "TENANT",
                        "threads of migration jobs; 0: chosen by the server", 0, 0,
                        "no tenant is migrated between nodes"},
    ParameterDefinition{"log_archive_concurrency", Int, kTenant, "0", 0, 100, "LOG_ARCHIVE",
                        "threads of the log archive; 0: chosen by the server", 0, 1,
                        "the log of a tenant is archived by one thread, in the order of its commits"},
    ParameterDefinition{"log_restore_concurrency", Int, kTenant, "0", 0, 100, "RESTORE",
                        "threads that replay the log of a restoring or standby tenant; 0: chosen by the server", 0, 0,
                        "a replay takes as many threads as the tenant's unit has CPUs for"},
    ParameterDefinition{"restore_net_limit", Capacity, kCluster, "0M", 0, kNoLimit, "RESTORE",
                        "bytes of backup sets per second that all restores together may read; 0: no limit"},
    ParameterDefinition{"standby_db_fetch_log_rpc_timeout", Time, kTenant, "15s", 2 * kSecondInMicros, kNoLimit,
                        "RESTORE", "how long a standby waits for its primary's answer", 15 * kSecondInMicros,
                        15 * kSecondInMicros, "no standby follows a primary over the network"},
    ParameterDefinition{"standby_fetch_log_bandwidth_limit", Capacity, kCluster, "0M", 0, 10000 * kGiga, "RESTORE",
                        "bytes per second that all standbys together may fetch; 0: no limit", 0, 0,
                        "no standby follows a primary over the network"},
    ParameterDefinition{"tenant_destination_roots", Directories, kCluster, "", 0, 0, "BACKUP",
                        "directories, separated by commas, below which tenants may set destinations themselves"},
};

struct Suffix {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::array kTimeSuffixes = {
    Suffix{"us", kMicros},
    Suffix{"ms", 1000},
    Suffix{"s", kSecondInMicros},
    Suffix{"m", 60 * kSecondInMicros},
    Suffix{"h", 3600 * kSecondInMicros},
    Suffix{"d", 86400 * kSecondInMicros},
    Suffix{"", kSecondInMicros},
};

constexpr std::array kCapacitySuffixes = {
    Suffix{"b", 1},          Suffix{"k", 1LL << 10}, Suffix{"kb", 1LL << 10}, Suffix{"m", kMega},
    Suffix{"mb", kMega},     Suffix{"g", kGiga},     Suffix{"gb", kGiga},     Suffix{"t", 1LL << 40},
    Suffix{"tb", 1LL << 40}, Suffix{"p", 1LL << 50}, Suffix{"pb", 1LL << 50}, Suffix{"", 1},
};

bool sameWord(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// A whole number with one of the suffixes.
std::int64_t parseWithSuffix(std::string_view text, std::span<const Suffix> suffixes, std::string_view what) {
    const auto bad = [&] { return obError(Ob::InvalidArgument, fmt::format("{} '{}'", what, text)); };
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) throw bad();
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Suffix& suffix : suffixes) {
        if (!sameWord(rest, suffix.name)) continue;
        std::int64_t product = 0;
        if (__builtin_mul_overflow(number, suffix.factor, &product)) throw bad();
        return product;
    }
    throw bad();
}

std::int64_t parseInt(std::string_view text) {
    return parseWithSuffix(text, std::array{Suffix{"", 1}}, "number");
}

bool isBool(std::string_view text) {
    for (const char* word : {"true", "false", "on", "off", "yes", "no", "1", "0"}) {
        if (sameWord(text, word)) return true;
    }
    return false;
}

}  // namespace

std::span<const ParameterDefinition> parameterDefinitions() {
    return kDefinitions;
}

const ParameterDefinition* findParameter(std::string_view name) {
    for (const ParameterDefinition& definition : kDefinitions) {
        if (sameWord(name, definition.name)) return &definition;
    }
    return nullptr;
}

std::chrono::microseconds parseTime(std::string_view text) {
    return std::chrono::microseconds(parseWithSuffix(text, kTimeSuffixes, "time"));
}

std::int64_t parseCapacity(std::string_view text) {
    return parseWithSuffix(text, kCapacitySuffixes, "capacity");
}

std::optional<std::int64_t> numberOf(const ParameterDefinition& definition, std::string_view value) {
    switch (definition.type) {
        case Int:
            return parseInt(value);
        case Time:
            return parseTime(value).count();
        case Capacity:
            return parseCapacity(value);
        case Bool:
        case Version:
        case Directories:
        case File:
            break;
    }
    return std::nullopt;
}

static bool areDirectories(std::string_view text) {
    for (bool more = !text.empty(); more;) {
        const auto comma = text.find(',');
        if (!text.starts_with('/')) return false;
        more = comma != std::string_view::npos;
        if (more) text.remove_prefix(comma + 1);
    }
    return true;
}

static bool isFile(std::string_view text) {
    if (text.empty()) return true;
    const std::string_view name = text.substr(text.rfind('/') + 1);
    return text.starts_with('/') && !name.empty() && !name.starts_with('.') && text.find("/../") == text.npos;
}

std::string checkedValue(const ParameterDefinition& definition, std::string_view value) {
    const auto refused = [&](const std::string& hint) {
        return obError(Ob::InvalidArgument, fmt::format("value '{}' of {}", value, definition.name), hint);
    };
    const bool directories = definition.type == Directories;
    if (value.size() > (directories || definition.type == File ? 512U : 64U)) throw refused("it is too long");
    if (definition.type == File) {
        if (!isFile(value)) throw refused("the absolute path of a file whose name does not begin with a dot, or '' for none");
        return std::string(value);
    }
    if (directories) {
        if (!areDirectories(value)) throw refused("absolute paths, separated by commas and without blanks around them");
        return std::string(value);
    }
    if (definition.type == Version) throw obError(Ob::NotSupported, fmt::format("setting {}", definition.name));
    if (definition.type == Bool) {
        if (!isBool(value)) throw refused("use true or false");
        return std::string(value);
    }
    std::int64_t number = 0;
    try {
        number = numberOf(definition, value).value();
    } catch (const Error&) {
        throw refused(fmt::format("a value looks like the default, '{}'", definition.default_value));
    }
    if (number < definition.minimum || number > definition.maximum) {
        const bool open = definition.maximum == kNoLimit;
        throw refused(definition.type == Time ? fmt::format("from {}us{}", definition.minimum,
                                                            open ? " on" : fmt::format(" to {}us", definition.maximum))
                                              : fmt::format("from {} to {}", definition.minimum, definition.maximum));
    }
    const bool heeded = number >= definition.heeded_minimum && number <= definition.heeded_maximum;
    if (!definition.unheeded_because.empty() && !heeded) {
        throw obError(Ob::NotSupported, fmt::format("value '{}' of {} is", value, definition.name),
                      std::string(definition.unheeded_because));
    }
    return std::string(value);
}

}  // namespace tidemark::catalog
