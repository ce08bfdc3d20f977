#include <algorithm>
#include <sstream>

#include "archive/archive_dest.h"
#include "archive/layout.h"
#include "backup_set/backup_set.h"
#include "base/clock.h"
#include "base/posix_zone.h"
#include "catalog/parameter.h"
#include "fuzz.h"
#include "restore/prepare_options.h"
#include "restore/restore_options.h"
#include "storage/memory_storage.h"
#include "storage/open_storage.h"
#include "tenant/invited_nodes.h"
#include "tenant/tenant_config.h"
#include "tenant/tenant_variables.h"
#include "virtual_primary/replica_session.h"

namespace tidemark::fuzz {
namespace {

using namespace std::string_view_literals;  // a seed may have NULs

/// URIs and the lists and options that they stand in.
void runUri(ByteView input) {
    const std::string text(textOf(input));
    accepted([&] {
        const std::string plain = storage::plainUri(text);
        requireThat(storage::plainUri(plain) == plain, "a plain URI is one already");
        requireThat(plain.find("/../") == std::string::npos && plain.size() <= text.size(), "a plain URI is plain");
    });
    accepted([&] { requireThat(!restore::destinationsOf(text).empty(), "there is a destination"); });
    accepted([&] { requireThat(!restore::parseRestoreOptions(text).pools.empty(), "there is a pool"); });
    accepted([&] {
        const auto dest = archive::parseArchiveDest(text);
        requireThat(!dest.location.empty() && dest.piece_switch_days >= 1 && dest.piece_switch_days <= 7,
                    "an archive's destination is somewhere, its pieces last 1 to 7 days");
    });
}

std::vector<Bytes> uriSeeds() {
    return seedsOf({"file:///a/./b//c/", "file:///a,file:///b c", "s3://bucket/x?host=y", "file:///x?encrypt_key=1",
                    "pool_list=p1,p2&primary_zone=z;w&locality=F@z&concurrency=9&method=full",
                    "LOCATION=file:///a b/c BINDING=Optional PIECE_SWITCH_INTERVAL=1d"});
}

const Registered registered_uri({"uri", runUri, uriSeeds});

void runZone(ByteView input) {
    Choices choices(input);
    const auto after = static_cast<std::int32_t>(choices.number());
    const std::string text = choices.text();
    if (const auto periods = periodsOfRule(text, after)) {
        requireThat(!periods->empty() && periods->front().from == after, "the first period begins where it was asked");
        requireThat(periods->size() < 400, "two periods a year");
        for (std::size_t i = 1; i < periods->size(); ++i)
            requireThat((*periods)[i - 1].from <= (*periods)[i].from, "periods are in order");
    }
    const auto comma = text.find(';');
    accepted([&] {
        const std::string zone = comma == std::string::npos ? "+01:00" : text.substr(comma + 1);
        requireThat(parseTimestamp(text.substr(0, comma), zone) >= 0, "no time is before 1970");
    });
}

std::vector<Bytes> zoneSeeds() {
    return seedsOf({"\0\0\0\0CET-1CEST,M3.5.0,M10.5.0/3"sv, "\0\0\0\0<-03>3<-02>,J59/24:00:00,366"sv,
                    "\0\0\0\0EST5EDT"sv,
                    "\0\0\0\0"
                    "2026-11-21 12:00:00.123456;-05:30"sv,
                    "\0\0\0\0"
                    "2026-03-29 02:30:00;Europe/Berlin"sv,
                    // Beyond what an SCN can be.
                    "\0\0\0\0"
                    "4052-11-21 12:00:00;+00:00"sv});
}

const Registered registered_zone({"time_zone", runZone, zoneSeeds});

/// Values of ALTER SYSTEM SET and CREATE TENANT.
void runSetting(ByteView input) {
    Choices choices(input);
    const auto all = catalog::parameterDefinitions();
    const auto& definition = all[choices.byte() % all.size()];
    const std::string text = choices.text();
    accepted([&] {
        const std::string value = catalog::checkedValue(definition, text);
        requireThat(catalog::checkedValue(definition, value) == value, "a checked value is one already");
        catalog::numberOf(definition, value);
    });
    accepted([&] { requireThat(catalog::parseTime(text).count() >= 0, "no time is negative"); });
    accepted([&] { requireThat(catalog::parseCapacity(text) >= 0, "no size is negative"); });
    if (isInvitedList(text)) isInvited(text, "192.168.1.7");
    isInvited(text, text);
}

std::vector<Bytes> settingSeeds() {
    std::vector<Bytes> all =
        seedsOf({"\0"
                 "10.0.0.0/8,192.168.1.%,::1/128,1.2.3.4/255.255.0.0"sv});
    const auto definitions = catalog::parameterDefinitions();
    for (std::size_t i = 0; i < definitions.size(); ++i)
        all.push_back(ByteWriter().u8(static_cast<std::uint8_t>(i)).text(definitions[i].default_value).take());
    for (const char* value : {"120s", "500ms", "4G", "512MB", "/a,/b c", "True"})
        all.push_back(ByteWriter().u8(3).text(value).take());
    return all;
}

const Registered registered_setting({"setting", runSetting, settingSeeds});

/// Variables of CREATE TENANT, and of a backup set that is restored: they become lines of the tenant's my.cnf.
void runVariable(ByteView input) {
    const std::string text(textOf(input));
    const auto equals = text.find('=');
    if (equals == std::string::npos) return;
    const auto checked = tenant::checkVariables({{text.substr(0, equals), text.substr(equals + 1)}},
                                                [](const std::string& name) { return name.starts_with("i"); });
    requireThat(tenant::checkVariables(checked, [](const std::string&) { return false; }) == checked,
                "checked variables are checked");
    tenant::TenantSettings settings;
    const auto lines = [&] {
        const std::string config = tenant::configText(settings);
        return std::count(config.begin(), config.end(), '\n');
    };
    const auto before = lines();
    settings.variables = tenant::serverSettings(checked);
    const auto more = static_cast<std::ptrdiff_t>(settings.variables.size() - settings.variables.count("time_zone"));
    requireThat(lines() == before + more, "a variable is one line");
    tenant::modeOf(checked);
    tenant::systemTimeZoneOf(checked);
}

std::vector<Bytes> variableSeeds() {
    return seedsOf({"sql_mode=ORACLE,ANSI_QUOTES", "Time_Zone=Europe/Berlin", "ob_compatibility_mode=oracle",
                    "ob_tcp_invited_nodes=10.0.0.0/8", "lower_case_table_names=1", "secure_file_priv=/",
                    "system_time_zone=CET-1CEST", "innodb_x=1"});
}

const Registered registered_variable({"variable", runVariable, variableSeeds});

/// backup-my.cnf of a backup set, of which a part becomes an option file of mariadb-backup.
void runPrepareOptions(ByteView input) {
    const std::string options = restore::prepareOptions(std::string(textOf(input)));
    requireThat(restore::prepareOptions(options) == options, "checked options are checked");
    std::istringstream lines(options);
    for (std::string line; std::getline(lines, line);) {
        const bool plain = std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= ' ' && c < 0x7f; });
        requireThat(plain && (line.starts_with("innodb_") || line.starts_with('#') || line == "[mysqld]"),
                    "only known options pass");
    }
}

std::vector<Bytes> prepareOptionsSeeds() {
    return seedsOf(
        {"[mysqld]\ninnodb_checksum_algorithm=crc32\ninnodb_data_file_path=ibdata1:12M;ibdata2:1G:autoextend"
         ":max:2G\ninnodb_log_file_size=100663296\ninnodb_page_size=16384\ninnodb_undo_directory=./\n"
         "innodb_undo_tablespaces=0\nplugin_load_add=x.so\n"});
}

const Registered registered_prepare_options({"prepare_options", runPrepareOptions, prepareOptionsSeeds});

/// Names of objects at a destination.
void runKey(ByteView input) {
    const std::string key(textOf(input));
    const archive::PieceKey piece{1001, 2, 3};
    accepted([&] {
        storage::requireValidKey(key);
        storage::MemoryStorage place;
        place.put(key, {});
        for (const auto& set : backup_set::listBackupSets(place)) {
            requireThat(set.id.number > 0 && key.find(std::to_string(set.id.number)) != std::string::npos,
                        "a set has the number of its name");
        }
    });
    // No other text is taken for the name of an object of ours.
    if (const auto marker = archive::parseRoundMarker(key)) {
        const auto made = marker->end ? archive::roundEndKey(marker->round) : archive::roundStartKey(marker->round);
        requireThat(made == key, "a round's name is the one that we make");
    }
    if (const auto start = archive::parsePieceStart(key))
        requireThat(key.starts_with("pieces/" + archive::nameOf(*start) + "_start_"), "a piece's name begins as ours");
    if (const auto scn = archive::parseCheckpoint(piece, key))
        requireThat(archive::checkpointKey(piece, *scn) == key, "a checkpoint's name is the one that we make");
    if (const auto scn = archive::parseSettings(piece.roundKey(), key))
        requireThat(archive::settingsKey(piece.roundKey(), *scn) == key, "a name of settings is the one that we make");
    if (const auto file = archive::parseSegment(piece, key))
        requireThat(archive::segmentKey(piece, *file) == key, "a segment's name is the one that we make");
}

std::vector<Bytes> keySeeds() {
    const archive::PieceKey piece{1001, 2, 3};
    return seedsOf({archive::roundStartKey(piece.roundKey()), archive::roundEndKey(piece.roundKey()),
                    archive::settingsKey(piece.roundKey(), 17), archive::checkpointKey(piece, 18),
                    archive::segmentKey(piece, 4), archive::segmentPrefix(piece) + "04.obarc",
                    "rounds/round_d01r2_end.obarc", archive::pieceStartKey(piece, 1700000000000000000),
                    "backup_sets/backup_set_12_full_start.obbak", "backup_sets/backup_set_7_inc_end_success_x.obbak"});
}

const Registered registered_key({"key", runKey, keySeeds});

/// What a replica asks of the virtual primary.
void runReplica(ByteView input) {
    virtual_primary::ReplicaWishes wishes;
    virtual_primary::applySetting(textOf(input), wishes);
}

std::vector<Bytes> replicaSeeds() {
    return seedsOf({"SET @slave_connect_state='0-1-17,2-3-4'", "SET @slave_until_gtid = '0-1-9' ;",
                    "SET @master_heartbeat_period= 5000000000"});
}

const Registered registered_replica({"replica", runReplica, replicaSeeds});

}  // namespace
}  // namespace tidemark::fuzz
