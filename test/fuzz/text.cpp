#include "archive/archive_dest.h"
#include "archive/layout.h"
#include "base/clock.h"
#include "base/posix_zone.h"
#include "catalog/parameter.h"
#include "fuzz.h"
#include "restore/restore_options.h"
#include "storage/open_storage.h"
#include "tenant/invited_nodes.h"
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
    accepted(
        [&] { parseTimestamp(text.substr(0, comma), comma == std::string::npos ? "+01:00" : text.substr(comma + 1)); });
}

std::vector<Bytes> zoneSeeds() {
    return seedsOf({"\0\0\0\0CET-1CEST,M3.5.0,M10.5.0/3"sv, "\0\0\0\0<-03>3<-02>,J59/24:00:00,366"sv,
                    "\0\0\0\0EST5EDT"sv,
                    "\0\0\0\0"
                    "2026-11-21 12:00:00.123456;-05:30"sv,
                    "\0\0\0\0"
                    "2026-03-29 02:30:00;Europe/Berlin"sv});
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

/// Names of objects at a destination.
void runKey(ByteView input) {
    const std::string key(textOf(input));
    const archive::PieceKey piece{1001, 2, 3};
    accepted([&] { storage::requireValidKey(key); });
    if (const auto marker = archive::parseRoundMarker(key)) {
        const auto made = marker->end ? archive::roundEndKey(marker->round) : archive::roundStartKey(marker->round);
        requireThat(archive::parseRoundMarker(made)->round == marker->round, "a round's name reads as it was written");
    }
    archive::parsePieceStart(key);
    if (const auto scn = archive::parseCheckpoint(piece, key))
        requireThat(archive::parseCheckpoint(piece, archive::checkpointKey(piece, *scn)) == scn, "a checkpoint's name");
    if (const auto scn = archive::parseSettings(piece.roundKey(), key))
        requireThat(archive::parseSettings(piece.roundKey(), archive::settingsKey(piece.roundKey(), *scn)) == scn,
                    "a name of settings");
    if (const auto file = archive::parseSegment(piece, key))
        requireThat(archive::parseSegment(piece, archive::segmentKey(piece, *file)) == file, "a segment's name");
}

std::vector<Bytes> keySeeds() {
    const archive::PieceKey piece{1001, 2, 3};
    return seedsOf({archive::roundStartKey(piece.roundKey()), archive::roundEndKey(piece.roundKey()),
                    archive::settingsKey(piece.roundKey(), 17), archive::checkpointKey(piece, 18),
                    archive::segmentKey(piece, 4), archive::pieceStartKey(piece, 1700000000000000000)});
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
