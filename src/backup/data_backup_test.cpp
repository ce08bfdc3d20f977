#include "backup/data_backup.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include "base/error.h"
#include "block/read_files.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"
#include "testing/peak_memory.h"

namespace tidemark::backup {
namespace {

using backup_set::FoundBackupSet;
using source::Chunk;
using storage::FaultRule;
using storage::FaultyStorage;
using storage::MemoryStorage;

constexpr backup_set::SetId kSet{1, backup_set::SetKind::Full};

/// Plays a list of chunks; content is a function of path and offset.
class ScriptedSource : public source::Source {
public:
    explicit ScriptedSource(std::vector<Chunk> chunks) : chunks_(std::move(chunks)) {}

    /// The first bytes of a MyISAM table's definition stand at the beginning of every .frm file.
    static std::uint8_t byteAt(const std::string& path, std::uint64_t offset) {
        static constexpr std::uint8_t kMyisam[] = {0xfe, 0x01, 10, 9};
        return path.ends_with(".frm") && offset < 4 ? kMyisam[offset] : plainByteAt(path, offset);
    }
    static std::uint8_t plainByteAt(const std::string& path, std::uint64_t offset) {
        return static_cast<std::uint8_t>(offset % 251 + path.size());
    }

    source::SourceTotals measure() override { return measured; }
    void open(std::stop_token stop) override { stop_ = std::move(stop); }
    std::optional<Chunk> next() override {
        if (before_next) before_next(at_);
        if (at_ == chunks_.size()) return std::nullopt;
        const Chunk& chunk = chunks_[at_++];
        offset_ = chunk.offset;
        return chunk;
    }
    void read(std::span<std::uint8_t> into) override {
        for (std::uint8_t& byte : into)
            byte = byteAt(chunks_[at_ - 1].path, offset_++);
    }
    source::SourceFacts finish() override {
        if (incomplete) throw Error(ErrorCode::Unavailable, "the source ended early");
        return {.gtid = "1002-101-7", .server_version = "10.11"};
    }
    /// Waits as a source does that has nothing to deliver.
    void waitForStop() {
        std::mutex mutex;
        std::condition_variable_any changed;
        std::unique_lock lock(mutex);
        changed.wait_for(lock, stop_, std::chrono::seconds(60), [] { return false; });
        if (!stop_.stop_requested()) throw Error(ErrorCode::Internal, "nobody stopped the source in 60 s");
        throw Error(ErrorCode::Cancelled, "the source was stopped");
    }

    bool has(const std::string& path) const override { return present.empty() || present.contains(path); }

    source::SourceTotals measured;
    std::set<std::string> present;  ///< at the end of the stream; empty: every file
    std::function<void(std::size_t)> before_next;
    bool incomplete = false;

private:
    std::vector<Chunk> chunks_;
    std::size_t at_ = 0;
    std::uint64_t offset_ = 0;
    std::stop_token stop_;
};

Chunk data(const std::string& path, std::uint64_t offset, std::uint64_t size) {
    return {.kind = Chunk::Kind::Data, .path = path, .offset = offset, .size = size};
}
Chunk end(const std::string& path) {
    return {.kind = Chunk::Kind::End, .path = path};
}

class DataBackupTest : public ::testing::Test {
protected:
    DataBackupResult run(source::Source& source, storage::Storage& storage, std::stop_token stop = {}) {
        phases_.clear();
        const auto on_phase = [this](DataPhase phase) { phases_.push_back(phase); };
        return DataBackup(source, storage, lane_, {.set = kSet, .on_phase = on_phase}, progress_).run(std::move(stop));
    }
    ErrorCode failure(source::Source& source, storage::Storage& storage, std::stop_token stop = {}) {
        try {
            run(source, storage, std::move(stop));
        } catch (const Error& error) {
            return error.code();
        }
        ADD_FAILURE() << "no Error was thrown";
        return ErrorCode::Internal;
    }

    block::WorkerPool pool_{2};
    block::Lane lane_{pool_};
    DataBackupProgress progress_;
    std::vector<DataPhase> phases_;
};

TEST_F(DataBackupTest, StoresWhatTheSourceDeliversAndCountsIt) {
    ScriptedSource source({data("aria_log_control", 0, 52), data("ibdata1", 0, 3 << 20), data("mysql/gtid.ibd", 0, 100),
                           data("ibdata1", 3 << 20, 5), end("mysql/gtid.ibd"), end("ibdata1"),
                           data("d/t.ibd", 0, 1 << 20), end("d/t.ibd"), data("d/m.MYD", 0, 9), end("d/m.MYD"),
                           end("d/m.frm"), data("ib_logfile0", 0, 10), end("ib_logfile0"), end("aria_log_control")});
    MemoryStorage storage;
    const DataBackupResult result = run(source, storage);

    EXPECT_EQ(phases_, (std::vector{DataPhase::Server, DataPhase::Redo, DataPhase::Tables}))
        << "each once, in order, although the redo log came last";
    EXPECT_EQ(result.facts.gtid, "1002-101-7");
    EXPECT_EQ(result.blocks.files, 7U);
    EXPECT_EQ(result.tablets, 4U);
    EXPECT_EQ(result.blocks.blocks, 7U);
    const std::uint64_t bytes = 52 + (3 << 20) + 100 + 5 + (1 << 20) + 9 + 10;
    EXPECT_EQ(result.blocks.plain_bytes, bytes);
    EXPECT_EQ(progress_.read_bytes, bytes);
    EXPECT_EQ(progress_.total_bytes, bytes) << "what was estimated is replaced by what was";

    const auto files = block::readFiles(storage, backup_set::blockDirectory(kSet), 1);
    EXPECT_EQ(files.at("d/m.frm").size(), 0U);
    for (const auto& [path, content] : files) {
        for (std::size_t i = 0; i < content.size(); ++i)
            ASSERT_EQ(content[i], ScriptedSource::byteAt(path, i));
    }
}

TEST_F(DataBackupTest, KeepsTotalsThatWereMeasuredAndAddsOnlyWhatWasUnknown) {
    ScriptedSource source({data("ib_logfile0", 0, 50), data("d/grown.ibd", 0, 150), end("d/grown.ibd"),
                           data("d/made.new", 0, 30), end("d/made.new"), data("d/new.ibd", 0, 7), end("d/new.ibd"),
                           Chunk{.kind = Chunk::Kind::Rename, .path = "d/made.new", .new_path = "d/made.ibd"},
                           end("ib_logfile0")});
    source.measured = {.bytes = 175,
                       .files = 3,
                       .tablets = 3,
                       .sizes = {{"d/grown.ibd", 100}, {"d/made.ibd", 30}, {"d/dropped.ibd", 45}}};
    std::vector<std::uint64_t> totals;
    source.before_next = [&](std::size_t) {
        totals.push_back(progress_.total_bytes);
        EXPECT_LE(progress_.read_bytes, progress_.total_bytes);
        EXPECT_LE(progress_.finished_tablets, progress_.total_tablets);
    };
    MemoryStorage storage;
    const DataBackupResult result = run(source, storage);
    EXPECT_EQ(totals, (std::vector<std::uint64_t>{175, 225, 275, 275, 275, 275, 282, 282, 282, 282}));
    EXPECT_EQ(progress_.total_bytes, 237U) << "what was read";
    EXPECT_EQ(progress_.finished_tablets, 3U);
    EXPECT_EQ(progress_.total_tablets, 3U);
    EXPECT_EQ(result.tablets, 3U);
}

TEST_F(DataBackupTest, LeavesItsSetUnfinished) {
    ScriptedSource source({data("a", 0, 1), end("a")});
    MemoryStorage storage;
    run(source, storage);
    ASSERT_EQ(backup_set::listBackupSets(storage).size(), 1U);
    EXPECT_EQ(backup_set::listBackupSets(storage)[0].state, FoundBackupSet::State::Unfinished);
    backup_set::removeUnfinishedSet(storage, 1);
    EXPECT_FALSE(storage.any(""));
}

TEST_F(DataBackupTest, PassesOnThatTheSourceIsIncomplete) {
    ScriptedSource source({data("a", 0, 1), end("a")});
    source.incomplete = true;
    MemoryStorage storage;
    EXPECT_EQ(failure(source, storage), ErrorCode::Unavailable);
    EXPECT_FALSE(storage.stat(backup_set::blockDirectory(kSet) + block::kRangeIndexName));
}

TEST_F(DataBackupTest, StopsASilentSourceWhenTheStorageIsFull) {
    ScriptedSource source({data("a", 0, block::kFrameSize), end("a"), data("b", 0, 1)});
    source.before_next = [&](std::size_t at) {
        if (at == 2) source.waitForStop();
    };
    MemoryStorage inner;
    FaultyStorage storage(inner,
                          {{.on = FaultRule::Operation::Append, .key_part = "data.", .error = ErrorCode::NoSpace}}, 1);
    EXPECT_EQ(failure(source, storage), ErrorCode::NoSpace) << "the cause, not that the source was stopped";
}

TEST_F(DataBackupTest, CanBeCancelledWhileTheSourceIsSilent) {
    ScriptedSource source({data("a", 0, block::kFrameSize), end("a"), data("b", 0, 1)});
    std::stop_source stop;
    std::jthread canceller;
    source.before_next = [&](std::size_t at) {
        if (at != 2) return;
        canceller = std::jthread([&] { stop.request_stop(); });
        source.waitForStop();
    };
    MemoryStorage storage;
    EXPECT_EQ(failure(source, storage, stop.get_token()), ErrorCode::Cancelled);
}

TEST_F(DataBackupTest, RefusesACopyThatLacksTheDataOfATable) {
    const std::vector<Chunk> whole = {
        data("d/t.frm", 0, 900),  end("d/t.frm"),        data("d/t.MYI", 0, 1), end("d/t.MYI"),
        end("d/t.MYD"),           data("d/v.ibd", 0, 1), end("d/v.ibd"),        data("d/#sql-alter-1.frm", 0, 900),
        end("d/#sql-alter-1.frm")};
    {
        MemoryStorage storage;
        ScriptedSource source(whole);
        run(source, storage);
    }
    for (const Chunk& change : {Chunk{.kind = Chunk::Kind::Remove, .path = "d/t.MYD"},
                                Chunk{.kind = Chunk::Kind::Rename, .path = "d/t.frm", .new_path = "d/u.frm"}}) {
        MemoryStorage storage;
        std::vector<Chunk> broken = whole;
        broken.push_back(change);
        ScriptedSource source(broken);
        EXPECT_EQ(failure(source, storage), ErrorCode::Unavailable);
        EXPECT_FALSE(storage.stat(backup_set::blockDirectory(kSet) + block::kRangeIndexName));
    }
}

/// A table that lacks its data at one of the two moments only was being made, renamed or dropped.
TEST_F(DataBackupTest, TakesATableThatHasLostItsDataInTheTenant) {
    const std::set<std::string> whole{"d/t.frm", "d/t.MYD", "d/t.MYI"};
    const std::set<std::string> lost{"d/t.frm"};
    for (const bool before : {true, false}) {
        for (const bool after : {true, false}) {
            ScriptedSource source({data("d/t.frm", 0, 900), end("d/t.frm")});
            for (const std::string& path : before ? whole : lost)
                source.measured.sizes[path] = 1;
            source.present = after ? whole : lost;
            MemoryStorage storage;
            if (before || after)
                EXPECT_EQ(failure(source, storage), ErrorCode::Unavailable) << before << after;
            else
                run(source, storage);
        }
    }
}

TEST_F(DataBackupTest, RefusesAStreamThatLeadsOutOfTheDirectory) {
    for (const char* path : {"../escape", "/etc/passwd", "a/../../b"}) {
        ScriptedSource source({data(path, 0, 1), end(path)});
        MemoryStorage storage;
        EXPECT_EQ(failure(source, storage), ErrorCode::Corrupt) << path;
    }
}

/// Takes everything and keeps nothing, so that only the pipeline uses memory.
class DiscardingStorage : public MemoryStorage {
public:
    std::unique_ptr<storage::ObjectWriter> create(const storage::Key&) override { return std::make_unique<Sink>(); }

private:
    struct Sink : storage::ObjectWriter {
        void append(ByteView) override {}
        void finish() override {}
    };
};

/// Gigabytes in several files at once, partly zeros, partly random.
class LargeSource : public source::Source {
public:
    explicit LargeSource(std::uint64_t size) : left_(size) {
        std::mt19937_64 random(1);
        for (std::uint8_t& byte : pattern_)
            byte = static_cast<std::uint8_t>(random());
    }
    source::SourceTotals measure() override { return {}; }
    void open(std::stop_token) override {}
    std::optional<Chunk> next() override {
        constexpr std::uint64_t kChunk = 10 << 20;
        constexpr std::size_t kFiles = 4;
        if (left_ < kChunk) {
            return ended_ < kFiles ? std::optional(end("d/t" + std::to_string(ended_++) + ".ibd")) : std::nullopt;
        }
        left_ -= kChunk;
        const std::uint64_t number = chunk_++;
        random_ = number % 3 == 0;
        return data("d/t" + std::to_string(number % kFiles) + ".ibd", number / kFiles * kChunk, kChunk);
    }
    void read(std::span<std::uint8_t> into) override {
        if (!random_) return void(std::fill(into.begin(), into.end(), 0));
        for (std::size_t at = 0; at < into.size(); at += pattern_.size()) {
            std::copy_n(pattern_.begin(), std::min(pattern_.size(), into.size() - at),
                        into.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
    source::SourceFacts finish() override { return {}; }

private:
    std::uint64_t left_;
    std::uint64_t chunk_ = 0;
    std::size_t ended_ = 0;
    bool random_ = false;
    Bytes pattern_ = Bytes(1 << 20);
};

TEST_F(DataBackupTest, NeedsLittleMemoryWhateverTheSize) {
    constexpr std::uint64_t kSize = 4ULL << 30;
    constexpr std::uint64_t kMostBytes = 300 << 20;
    const pid_t child = fork();
    if (child == 0) {
        LargeSource source(kSize);
        DiscardingStorage storage;
        // As many workers as a large machine has.
        block::WorkerPool pool(block::WorkerPool::kMostThreads);
        block::Lane lane(pool);
        const auto result = DataBackup(source, storage, lane, {.set = kSet}, progress_).run({});
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        const std::uint64_t peak = testing::peakOf(usage);
        std::cout << "peak memory " << (peak >> 20) << " MiB for " << (result.blocks.plain_bytes >> 20) << " MiB\n"
                  << std::flush;
        _exit(result.blocks.plain_bytes > kSize / 2 && peak < kMostBytes ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace tidemark::backup
