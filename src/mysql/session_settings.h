#pragma once

#include <array>
#include <string_view>

namespace tidemark::mysql {

/// What every session of the daemon sets at once after its login, so that no setting of the server, which a tenant may
/// have chosen (tenant/tenant_variables.cpp), changes what its statements do: the modes it is written for, MariaDB's
/// own limits instead of a tenant's, and a session that stays while it has nothing to do. A caller that needs something
/// else sets it on top. No privilege is needed for any of it.
constexpr auto kSessionSettings = std::to_array<std::string_view>({
    // sql_mode as a number: under EMPTY_STRING_IS_NULL '' would be NULL, which it does not take.
    "SET SESSION sql_mode = 0, autocommit = 1, wait_timeout = 31536000, interactive_timeout = 31536000,"
    " net_read_timeout = 30, net_write_timeout = 60, max_statement_time = 0, lock_wait_timeout = 86400,"
    " innodb_lock_wait_timeout = 50, innodb_strict_mode = 1, time_zone = '+00:00', foreign_key_checks = 1,"
    " unique_checks = 1, sql_safe_updates = 0, sql_select_limit = 18446744073709551615, sql_big_selects = 1,"
    " sql_auto_is_null = 0, sql_quote_show_create = 1, group_concat_max_len = 1048576, div_precision_increment = 4,"
    " auto_increment_increment = 1, auto_increment_offset = 1, explicit_defaults_for_timestamp = 1,"
    " completion_type = 'NO_CHAIN', lc_messages = 'en_US', lc_time_names = 'en_US'",
    // Which collation the bare name stands for depends on the version.
    "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
});

}  // namespace tidemark::mysql
