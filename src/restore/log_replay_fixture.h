#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "restore/log_replay.h"
#include "testing/archived_server.h"

/// What the tests of the replay share.
namespace tidemark::restore {

using archive::ArchiveReader;
using mysql::GtidPosition;
using testing::ArchivedServer;
using testing::MariadbServer;

constexpr std::uint32_t kPrimaryId = 7;

/// A server as a restore would start it: empty, no binlog, another id.
class RestoredServer : public MariadbServer {
public:
    explicit RestoredServer(std::vector<std::string> more = {}) : MariadbServer(options(std::move(more))) {}

private:
    static std::vector<std::string> options(std::vector<std::string> more) {
        more.insert(more.end(), {"--skip-log-bin", "--server-id=202", "--event-scheduler=OFF",
                                 "--innodb-flush-log-at-trx-commit=0"});
        return more;
    }
};

inline LogReplayOptions replayOptions(const MariadbServer& server, const GtidPosition& start, Scn target) {
    LogReplayOptions options;
    options.server = server.endpoint();
    options.start = start;
    options.target = target;
    options.primary_server_id = kPrimaryId;
    return options;
}

inline ArchiveReader::Target replay(const ArchiveReader& reader, const LogReplayOptions& options) {
    return LogReplay(reader, options).run({}, [](const ReplayProgress&) {});
}

inline ArchiveReader::Target replayAll(const ArchiveReader& reader, const MariadbServer& server, unsigned threads = 0) {
    const auto& round = reader.rounds().at(0);
    auto options = replayOptions(server, round.start.position, round.checkpoint_scn);
    options.parallel_threads = threads;
    return replay(reader, options);
}

/// Name and checksum of every table that is not the system's.
inline std::vector<std::string> checksums(const MariadbServer& server) {
    auto client = server.connect();
    std::vector<std::string> lines;
    const auto tables = client.query(
        "SELECT CONCAT('`',table_schema,'`.`',table_name,'`') FROM information_schema.tables WHERE table_type='BASE "
        "TABLE' "
        "AND table_schema NOT IN ('mysql','sys','performance_schema','information_schema') ORDER BY 1");
    for (const auto& row : tables.rows) {
        const auto sum = client.query("CHECKSUM TABLE " + row.text(0)).rows.at(0);
        lines.push_back(sum.text(0) + " " + sum.maybe("Checksum").value_or("NULL"));
    }
    return lines;
}

inline std::uint64_t newSeed() {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << "\n";
    return seed;
}

inline std::string messageOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

/// A small archived log, for tests of what goes wrong with it.
struct SmallLog {
    explicit SmallLog(storage::Storage& storage) : source(storage) {
        source.startArchiver();
        auto client = source.server.connect();
        client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY, b TEXT)");
        for (int i = 0; i < 40; ++i) {
            client.query("INSERT INTO d.t VALUES (?, REPEAT('z', 5000))", {std::int64_t{i}});
            if (i % 10 == 9) source.awaitArchived();  // several segments
        }
        source.stopArchiver();
    }
    ArchivedServer source;
};

}  // namespace tidemark::restore
