#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "backup/data_backup.h"
#include "backup_set/backup_set.h"
#include "base/error.h"
#include "restore/data_restore.h"
#include "storage/file_storage.h"
#include "storage/memory_storage.h"
#include "testing/eventually.h"
#include "testing/mariadb_server.h"
#include "testing/peak_memory.h"

namespace tidemark {
namespace {

using source::Chunk;

/// Three files at once, as mariadb-backup sends them, half of it noise; more than all jobs could keep in memory.
class EndlessSource : public source::Source {
public:
    explicit EndlessSource(std::uint64_t size) : left_(size) {
        for (std::size_t i = 0; i < pattern_.size(); ++i)
            pattern_[i] = static_cast<std::uint8_t>(i % 64 < 32 ? i * 2654435761U >> 13 : 7);
    }

    source::SourceTotals measure() override { return {}; }
    void open(std::stop_token) override {}
    std::optional<Chunk> next() override {
        if (left_ == 0) return end();
        const std::size_t file = turn_++ % 3;
        const std::uint64_t size = std::min<std::uint64_t>(left_, kPiece);
        left_ -= size;
        const std::uint64_t at = offsets_[file];
        offsets_[file] += size;
        return Chunk{.kind = Chunk::Kind::Data, .path = pathOf(file), .offset = at, .size = size};
    }
    void read(std::span<std::uint8_t> into) override {
        std::copy_n(pattern_.begin(), into.size(), into.begin());
        pattern_[turn_ % pattern_.size()] ^= 1;
    }
    source::SourceFacts finish() override { return {}; }

private:
    static constexpr std::uint64_t kPiece = 1 << 20;

    static std::string pathOf(std::size_t file) { return "d/t" + std::to_string(file) + ".ibd"; }
    std::optional<Chunk> end() {
        if (ended_ == 3) return std::nullopt;
        return Chunk{.kind = Chunk::Kind::End, .path = pathOf(ended_++)};
    }

    std::uint64_t left_;
    std::size_t turn_ = 0;
    std::size_t ended_ = 0;
    std::array<std::uint64_t, 3> offsets_{};
    Bytes pattern_ = Bytes(kPiece);
};

/// Where jobs wait until all of them have taken as much memory as they may.
class Gate {
public:
    void wait() { closed_.wait(true); }
    void open() {
        closed_ = false;
        closed_.notify_all();
    }

private:
    std::atomic<bool> closed_ = true;
};

bool isData(const storage::Key& key) {
    return key.find(block::dataFileName(0)) != storage::Key::npos;
}

/// Keeps nothing.
class GatedDiscardingStorage : public storage::MemoryStorage {
public:
    explicit GatedDiscardingStorage(Gate& gate) : gate_(gate) {}
    std::unique_ptr<storage::ObjectWriter> create(const storage::Key& key) override {
        class Writer : public storage::ObjectWriter {
            void append(ByteView) override {}
            void finish() override {}
        };
        if (isData(key)) gate_.wait();
        return std::make_unique<Writer>();
    }

private:
    Gate& gate_;
};

class GatedReading : public storage::FileStorage {
public:
    GatedReading(const std::filesystem::path& root, Gate& gate) : FileStorage(root), gate_(gate) {}
    void read(const storage::Key& key, std::uint64_t offset, std::span<std::uint8_t> into) override {
        if (isData(key)) gate_.wait();
        FileStorage::read(key, offset, into);
    }

private:
    Gate& gate_;
};

constexpr backup_set::SetId kFullSet{1, backup_set::SetKind::Full};
// The daemon's promise, less what it needs without any job (35 MB, measured with eight tenants).
constexpr std::uint64_t kMostBytes = 400'000'000 - 35'000'000;

/// Peak memory of a process that does nothing else.
std::uint64_t peakOf(const std::function<void()>& work) {
    const pid_t child = fork();
    if (child == 0) {
        try {
            work();
        } catch (const std::exception& error) {
            std::cerr << error.what() << "\n";
            _exit(1);
        }
        _exit(0);
    }
    int status = 0;
    rusage usage{};
    EXPECT_EQ(wait4(child, &status, 0, &usage), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return testing::peakOf(usage);
}

/// Runs so many jobs, lets them go on when they hold `buffers` together, and expects that all succeed.
void atOnce(int jobs, block::WorkerPool& pool, std::size_t buffers, Gate& gate, const std::function<void(int)>& job) {
    std::atomic<int> failed = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < jobs; ++i) {
        threads.emplace_back([&, i] {
            try {
                job(i);
            } catch (const std::exception& error) {
                std::cerr << error.what() << "\n";
                ++failed;
            }
        });
    }
    testing::eventually([&] { return pool.memory().held() == buffers || failed > 0; }, std::chrono::seconds(60));
    const std::size_t held = pool.memory().held();
    gate.open();
    threads.clear();
    if (held != buffers) throw std::runtime_error("they hold " + std::to_string(held) + " buffers");
    if (failed > 0) throw std::runtime_error("jobs have failed");
    if (pool.memory().held() != 0) throw std::runtime_error("memory was not given back");
}

constexpr std::size_t kPromised = block::BlockWriter::kPromisedBuffers;
constexpr std::size_t kExtra = block::MemoryLimits{}.extra;

std::uint64_t peakOfBackups(int jobs, unsigned workers, std::size_t buffers) {
    const std::uint64_t peak = peakOf([&] {
        block::WorkerPool pool(workers);
        Gate gate;
        atOnce(jobs, pool, buffers, gate, [&](int) {
            EndlessSource source(48 << 20);
            GatedDiscardingStorage storage(gate);
            block::Lane lane(pool);
            backup::DataBackupProgress progress;
            backup::DataBackup(source, storage, lane, {.set = kFullSet}, progress).run({});
        });
    });
    std::cout << jobs << " backups, " << workers << " workers: peak " << peak / 1'000'000 << " MB\n";
    return peak;
}

TEST(ManyJobs, EightBackupsAtOnceStayBelow400MbOnAnyNumberOfCores) {
    // Each has what it is promised and an eighth of those that are extra.
    EXPECT_LT(peakOfBackups(8, 2, 8 * (kPromised + kExtra / 8)), kMostBytes);
    EXPECT_LT(peakOfBackups(8, 16, 8 * (kPromised + kExtra / 8)), kMostBytes);
}

TEST(ManyJobs, FiftyBackupsAtOnceStayBelow400MbAndAllOfThemEnd) {
    // Nine have memory, the others wait for their turn and hold nothing.
    EXPECT_LT(peakOfBackups(50, 16, 9 * (kPromised + kExtra / 9)), kMostBytes);
}

TEST(ManyJobs, EightRestoresAtOnceStayBelow400MbOnAnyNumberOfCores) {
    const testing::TemporaryDirectory directory;
    const auto destination = directory.path() / "destination";
    std::filesystem::create_directory(destination);
    {
        storage::FileStorage storage(destination);
        block::WorkerPool pool;
        block::Lane lane(pool);
        EndlessSource source(100 << 20);
        backup::DataBackupProgress progress;
        backup::DataBackup(source, storage, lane, {.set = kFullSet}, progress).run({});
    }
    // Three threads per worker, 16 at most, each with a buffer: as far as they get more than the promised 2.
    for (const auto& [workers, buffers] : {std::pair{2U, 8U * (2 + kExtra / 8)}, {16U, 8U * (2 + kExtra / 8)}}) {
        const std::uint64_t peak = peakOf([&, workers = workers, buffers = buffers] {
            block::WorkerPool pool(workers);
            Gate gate;
            GatedReading storage(destination, gate);
            atOnce(8, pool, buffers, gate, [&](int job) {
                const block::BlockReader reader(storage, backup_set::blockDirectory(kFullSet, 1), kFullSet.number);
                block::Lane lane(pool);
                restore::DataRestoreProgress progress;
                restore::restoreFiles(reader, lane, {.directory = directory.path() / std::to_string(job)}, progress,
                                      {});
            });
        });
        std::cout << "eight restores, " << workers << " workers: peak " << peak / 1'000'000 << " MB\n";
        EXPECT_LT(peak, kMostBytes) << workers;
        for (int job = 0; job < 8; ++job)
            std::filesystem::remove_all(directory.path() / std::to_string(job));
    }
}

TEST(ManyJobs, OneThatIsGivenUpWhileItsBlocksQueueForOthersGivesItsMemoryBack) {
    block::WorkerPool pool(1);
    block::Lane other(pool);
    std::binary_semaphore busy(0);
    std::binary_semaphore go(0);
    other.submit(block::Lane::Task([&](block::Codec&) { busy.release(), go.acquire(); }));
    busy.acquire();
    storage::MemoryStorage storage;
    block::Lane lane(pool);
    block::BlockProgress progress;
    auto writer = std::make_unique<block::BlockWriter>(
        storage, lane, block::BlockWriterOptions{.directory = "set/", .set_id = 1}, progress);
    writer->add(writer->beginFile("t.ibd"), 0, Bytes(4 * block::kMacroBlockSize));
    EXPECT_GE(pool.memory().held(), 4U + 2U) << "its blocks, and those it packs in";
    writer.reset();
    EXPECT_EQ(pool.memory().held(), 0U);
    go.release();
    other.drain();
}

TEST(ManyJobs, OneThatWaitsForMemoryCanBeCancelled) {
    block::WorkerPool pool(1, {.guaranteed = kPromised, .extra = 0});
    auto others = std::make_unique<block::MemoryShare>(pool.memory(),
                                                       block::ShareOptions{.minimum = kPromised, .most = kPromised});
    storage::MemoryStorage storage;
    std::stop_source stop;
    std::atomic<bool> ended = false;
    std::jthread waits([&] {
        block::Lane lane(pool);
        block::BlockProgress progress;
        EXPECT_THROW(block::BlockWriter(storage, lane, {.directory = "set/", .set_id = 1}, progress, stop), Error);
        ended = true;
    });
    EXPECT_TRUE(testing::eventually([&] { return pool.memory().waiting() == 1; }));
    stop.request_stop();
    EXPECT_TRUE(testing::eventually([&] { return ended.load(); }, std::chrono::seconds(10)));
    others.reset();
}

}  // namespace
}  // namespace tidemark
