#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "block/block_fixture.h"
#include "opened/hydration.h"
#include "opened/opened_set.h"
#include "storage/memory_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark::opened {
namespace {

namespace fs = std::filesystem;
using block::kPageSize;
using block::randomContent;

/// A full set and an incremental one, and the second one opened.
class OpenedTest : public block::BlockTest {
protected:
    OpenedTest() {
        for (int i = 0; i < 6; ++i)
            files_["d/t" + std::to_string(i) + ".ibd"] = randomContent(random_, i * 20 * kPageSize + i * 777);
        files_["d/t5.ibd"].resize(300 * kPageSize);  // zeros behind
        files_["d/empty"] = {};
        backUp(1, nullptr);
        for (int i = 0; i < 40; ++i) {
            Bytes& file = files_["d/t5.ibd"];
            const Bytes page = randomContent(random_, kPageSize);
            std::copy(page.begin(), page.end(),
                      file.begin() + static_cast<std::ptrdiff_t>(random_() % 300 * kPageSize));
        }
        const auto full = reader(1);
        backUp(2, full);
        reader_ = reader(2);
        open();
    }

    static storage::Key directoryOf(std::uint32_t set) { return "backup_set_" + std::to_string(set) + "/"; }
    std::shared_ptr<const block::BlockReader> reader(std::uint32_t set) {
        return std::make_shared<block::BlockReader>(
            storage_, directoryOf(set), set, nullptr,
            [](const block::IndexLayer& layer) { return directoryOf(layer.id.set); });
    }
    void backUp(std::uint32_t set, const std::shared_ptr<const block::BlockReader>& parent) {
        block::BlockWriter writer(storage_, lane_,
                                  {.directory = directoryOf(set),
                                   .set_id = set,
                                   .data_file_size = 1 << 20,
                                   .incremental = parent != nullptr,
                                   .parent = parent},
                                  progress_);
        for (const auto& [path, content] : files_) {
            const block::FileNumber number = writer.beginFile(path);
            if (!content.empty()) writer.add(number, 0, content);
            writer.endFile(number);
        }
        writer.finish();
    }

    /// Whatever was not synced is as after the death of the process that had it open.
    void open() {
        set_.reset();
        set_.emplace(*reader_, place_.path() / "opened", 4 << 20);
    }
    Bytes contentOf(const std::string& path) {
        const auto file = set_->open(path, O_RDONLY);
        Bytes content(file->size());
        EXPECT_EQ(file->read(0, content), content.size());
        return content;
    }

    storage::MemoryStorage storage_;
    std::map<std::string, Bytes> files_;
    std::shared_ptr<const block::BlockReader> reader_;
    testing::TemporaryDirectory place_;
    std::optional<OpenedSet> set_;
};

TEST_F(OpenedTest, HasEveryFileAsItWasAndKeepsNothingOfThem) {
    for (const auto& [path, content] : files_) {
        EXPECT_TRUE(contentOf(path) == content) << path;
        struct stat info {};
        ASSERT_EQ(::stat((set_->data() / path).c_str(), &info), 0);
        EXPECT_LE(info.st_blocks, 8) << path;  // an attribute may need one
    }
    // Any part of a file, also beyond its end.
    const auto file = set_->open("d/t4.ibd", O_RDWR);
    const Bytes& whole = files_["d/t4.ibd"];
    for (int i = 0; i < 300; ++i) {
        const std::uint64_t offset = random_() % (whole.size() + 1000);
        Bytes part(random_() % (4 * kPageSize));
        const std::size_t wanted = offset < whole.size() ? std::min(part.size(), whole.size() - offset) : 0;
        ASSERT_EQ(file->read(offset, part), wanted);
        ASSERT_TRUE(std::equal(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(wanted),
                               whole.begin() + static_cast<std::ptrdiff_t>(std::min(offset, whole.size()))));
    }
}

TEST_F(OpenedTest, ReadsAFrameOnceForAllOfItsPages) {
    contentOf("d/t3.ibd");
    const std::uint64_t decoded = set_->decoded();
    EXPECT_LE(decoded, 60 / block::kPagesPerFrame + 3);
    contentOf("d/t3.ibd");
    EXPECT_EQ(set_->decoded(), decoded) << "they are still in the cache";
}

TEST_F(OpenedTest, ReadsWhatTheIndexTellsAgainWhenThereIsNoRoomToKeepIt) {
    set_.reset();
    set_.emplace(*reader_, place_.path() / "opened", 1, 1);
    for (const auto& [path, content] : files_)
        EXPECT_TRUE(contentOf(path) == content) << path;
}

TEST_F(OpenedTest, CountsThePagesThatAreMissing) {
    std::uint64_t pages = 0;
    for (const auto& [path, content] : files_)
        pages += block::partsOf(content.size(), kPageSize);
    EXPECT_EQ(set_->pages(), pages);
    EXPECT_EQ(set_->missing(), pages);
    set_->open("d/t4.ibd", O_RDWR)->write(3 * kPageSize, Bytes(kPageSize));
    EXPECT_EQ(set_->missing(), pages - 1);
    EXPECT_EQ(set_->remove("d/t4.ibd"), 0);
    EXPECT_EQ(set_->missing(), pages - block::partsOf(files_["d/t4.ibd"].size(), kPageSize));
    open();
    EXPECT_EQ(set_->missing(), pages - block::partsOf(files_["d/t4.ibd"].size(), kPageSize));
}

/// As a file would do it.
struct Model {
    Bytes content;
    void write(std::uint64_t offset, ByteView bytes) {
        if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
        std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    void clear(std::uint64_t offset, std::uint64_t size) {
        const std::uint64_t end = std::min<std::uint64_t>(content.size(), offset + size);
        for (std::uint64_t i = offset; i < end; ++i)
            content[i] = 0;
    }
};

TEST_F(OpenedTest, BehavesLikeAFileWhateverIsDoneToIt) {
    for (const auto& [path, content] : files_) {
        Model model{content};
        for (int step = 0; step < 150; ++step) {
            const auto file = set_->open(path, O_RDWR);
            const std::uint64_t offset = random_() % (model.content.size() + kPageSize);
            const std::uint64_t size = 1 + random_() % (3 * kPageSize);
            switch (random_() % 8) {
                case 0:
                case 1:
                case 2: {
                    // Pages as InnoDB writes them, and any bytes.
                    const bool whole = random_() % 2 == 0;
                    const std::uint64_t at = whole ? offset / kPageSize * kPageSize : offset;
                    const Bytes bytes = randomContent(random_, whole ? kPageSize : size);
                    file->write(at, bytes);
                    model.write(at, bytes);
                    break;
                }
                case 3: {
                    file->allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
                    model.clear(offset, size);
                    break;
                }
                case 4: {
                    if (random_() % 8 != 0) break;  // else hardly anything of the set is left
                    const std::uint64_t to = random_() % (model.content.size() + kPageSize);
                    file->truncate(to);
                    model.content.resize(to);
                    break;
                }
                case 5:
                    file->allocate(0, offset, size);
                    model.content.resize(std::max<std::size_t>(model.content.size(), offset + size));
                    break;
                case 6: {
                    const auto pages = static_cast<std::uint32_t>(block::partsOf(content.size(), kPageSize));
                    if (pages > 0) file->fetch(static_cast<std::uint32_t>(random_() % pages));
                    break;
                }
                default:
                    file->sync();
                    open();  // what is synced is there
            }
            if (step % 10 != 9) continue;
            ASSERT_TRUE(contentOf(path) == model.content) << path << ", step " << step;
        }
        EXPECT_TRUE(contentOf(path) == model.content) << path;
        set_->sync();
        open();
        EXPECT_TRUE(contentOf(path) == model.content) << path;
    }
}

TEST_F(OpenedTest, LosesNothingThatWasSyncedAndMakesNothingUp) {
    const std::string path = "d/t5.ibd";
    std::vector<std::vector<Bytes>> possible(300);  // of each page: as it was at the last sync, and since
    for (std::size_t page = 0; page < possible.size(); ++page) {
        const auto begin = files_[path].begin() + static_cast<std::ptrdiff_t>(page * kPageSize);
        possible[page].emplace_back(begin, begin + kPageSize);
    }
    for (int round = 0; round < 30; ++round) {
        {
            const auto file = set_->open(path, O_RDWR);
            for (std::uint64_t i = random_() % 60; i > 0; --i) {
                const std::size_t page = random_() % possible.size();
                const Bytes bytes = randomContent(random_, kPageSize);
                file->write(page * kPageSize, bytes);
                possible[page].push_back(bytes);
                if (random_() % 30 != 0) continue;
                file->sync();
                for (auto& versions : possible)
                    versions.erase(versions.begin(), versions.end() - 1);
            }
        }
        open();
        const Bytes now = contentOf(path);
        for (std::size_t page = 0; page < possible.size(); ++page) {
            const auto begin = now.begin() + static_cast<std::ptrdiff_t>(page * kPageSize);
            const Bytes bytes(begin, begin + kPageSize);
            ASSERT_TRUE(std::find(possible[page].begin(), possible[page].end(), bytes) != possible[page].end())
                << "page " << page << " in round " << round;
            possible[page] = {bytes};
        }
    }
}

TEST_F(OpenedTest, IsTheWholeDataDirectoryOnceNothingIsMissing) {
    const auto big = set_->open("d/t5.ibd", O_RDWR);
    const Bytes page = randomContent(random_, kPageSize);
    big->write(7 * kPageSize, page);
    std::copy(page.begin(), page.end(), files_["d/t5.ibd"].begin() + 7 * kPageSize);
    for (const auto& [path, content] : files_) {
        const auto file = set_->open(path, O_RDWR);
        const std::uint32_t missing = file->missing();
        std::uint32_t fetched = 0;
        for (std::uint32_t i = 0; i < block::partsOf(content.size(), kPageSize); ++i)
            fetched += file->fetch(i) ? 1 : 0;
        EXPECT_EQ(fetched, missing);
        EXPECT_EQ(file->missing(), 0U);
        EXPECT_TRUE(readFile(set_->data() / path) == std::string(content.begin(), content.end())) << path;
    }
}

TEST_F(OpenedTest, IsHydratedWhileItIsWrittenTo) {
    std::map<std::string, Model> models;
    for (const auto& [path, content] : files_)
        models[path].content = content;
    std::atomic<bool> over = false;
    std::jthread writer([&] {
        std::mt19937 random(seed_);
        while (!over) {
            auto at = models.begin();
            std::advance(at, random() % models.size());
            const auto file = set_->open(at->first, O_RDWR);
            const std::uint64_t offset = random() % (at->second.content.size() + 1);
            const Bytes bytes = randomContent(random, 1 + random() % (2 * kPageSize));
            if (random() % 10 == 0) {
                file->truncate(offset);
                at->second.content.resize(offset);
            } else {
                file->write(offset, bytes);
                at->second.write(offset, bytes);
            }
        }
    });
    block::MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
    HydrationProgress progress;
    hydrate(*set_, *reader_, memory, {}, progress, {});
    over = true;
    writer.join();
    EXPECT_GT(progress.pages, 100U);
    for (const auto& [path, model] : models) {
        EXPECT_EQ(set_->open(path, O_RDWR)->missing(), 0U);
        EXPECT_TRUE(readFile(set_->data() / path) == std::string(model.content.begin(), model.content.end())) << path;
    }
    const std::uint64_t read = progress.read_bytes;
    hydrate(*set_, *reader_, memory, {}, progress, {});
    EXPECT_EQ(progress.read_bytes, read) << "nothing is read twice";
    open();
    hydrate(*set_, *reader_, memory, {}, progress, {});
    EXPECT_EQ(progress.read_bytes, read) << "nor after a restart";
}

TEST_F(OpenedTest, HydratesFilesThatWereRenamedAndNoneThatWereRemoved) {
    ASSERT_EQ(set_->rename("d/t4.ibd", "d/other.ibd", 0), 0);
    ASSERT_EQ(set_->remove("d/t3.ibd"), 0);
    EXPECT_EQ(set_->remove("d/t3.ibd"), ENOENT);
    ASSERT_EQ(set_->rename("d/t2.ibd", "d/t1.ibd", 0), 0) << "in the place of another";
    for (int restarted = 0; restarted < 2; ++restarted) {
        block::MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
        HydrationProgress progress;
        hydrate(*set_, *reader_, memory, {}, progress, {});
        EXPECT_TRUE(contentOf("d/other.ibd") == files_["d/t4.ibd"]);
        EXPECT_TRUE(contentOf("d/t1.ibd") == files_["d/t2.ibd"]);
        EXPECT_FALSE(fs::exists(set_->data() / "d/t3.ibd"));
        EXPECT_EQ(set_->open("d/other.ibd", O_RDWR)->missing(), 0U);
        open();
    }
}

TEST_F(OpenedTest, FollowsFilesThatAreRenamedRemovedAndMade) {
    ASSERT_EQ(set_->rename("d/t4.ibd", "d/other.ibd", 0), 0);
    ASSERT_EQ(set_->remove("d/t3.ibd"), 0);
    {
        const auto made = set_->open("d/t4.ibd", O_RDWR | O_CREAT);
        made->write(0, viewOf("new"));
        const auto emptied = set_->open("d/t5.ibd", O_RDWR | O_TRUNC);
        emptied->write(2 * kPageSize, viewOf("x"));
    }
    set_->sync();
    open();
    EXPECT_TRUE(contentOf("d/other.ibd") == files_["d/t4.ibd"]);
    EXPECT_EQ(textOf(contentOf("d/t4.ibd")), "new");
    Bytes emptied(2 * kPageSize + 1);
    emptied.back() = 'x';
    EXPECT_TRUE(contentOf("d/t5.ibd") == emptied);
    EXPECT_THROW(set_->open("d/t3.ibd", O_RDWR), Error);
    EXPECT_THROW(set_->open("d", O_RDONLY), Error);
}

TEST_F(OpenedTest, FinishesATruncationThatACrashCutOff) {
    const std::string path = "d/t4.ibd";
    const std::uint64_t cut = 30 * kPageSize + 777;
    fs::resize_file(set_->data() / path, cut);  // durable, and its bits are not
    open();
    Model model{files_[path]};
    model.content.resize(cut);
    const auto grow = [&] {
        const auto file = set_->open(path, O_RDWR);
        const std::uint64_t end = files_[path].size();
        file->truncate(end);
        model.content.resize(end);
    };
    EXPECT_TRUE(contentOf(path) == model.content);
    open();
    grow();
    EXPECT_TRUE(contentOf(path) == model.content) << "what was cut off does not come back";
    block::MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
    HydrationProgress progress;
    hydrate(*set_, *reader_, memory, {}, progress, {});
    EXPECT_TRUE(readFile(set_->data() / path) == std::string(model.content.begin(), model.content.end()));
}

TEST_F(OpenedTest, HydratesAllThatIsNotDamaged) {
    const storage::Key key = directoryOf(1) + block::dataFileName(0);
    const Bytes object = storage_.getAll(key);
    Bytes damaged = object;
    damaged[object.size() / 2] ^= 1;
    storage_.remove(key);
    storage_.put(key, damaged);
    block::MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
    HydrationProgress progress;
    EXPECT_THROW(hydrate(*set_, *reader_, memory, {}, progress, {}), Error);
    open();  // what was fetched is durable
    std::uint32_t missing = 0;
    for (const auto& [path, content] : files_)
        missing += set_->open(path, O_RDWR)->missing();
    EXPECT_GT(missing, 0U);
    EXPECT_LE(missing, block::kPagesPerFrame);
    storage_.remove(key);
    storage_.put(key, object);
    hydrate(*set_, *reader_, memory, {}, progress, {});
    for (const auto& [path, content] : files_)
        EXPECT_TRUE(readFile(set_->data() / path) == std::string(content.begin(), content.end())) << path;
}

TEST_F(OpenedTest, HasADirectoryForItself) {
    EXPECT_THROW(OpenedSet(*reader_, place_.path() / "opened", 1 << 20), Error) << "it is in use";
    set_.reset();
    const auto other = reader(1);
    EXPECT_THROW(OpenedSet(*other, place_.path() / "opened", 1 << 20), Error) << "it is of another set";
    fs::create_directories(place_.path() / "mine/data");
    EXPECT_THROW(OpenedSet(*reader_, place_.path() / "mine", 1 << 20), Error) << "it is a data directory of its own";
    EXPECT_TRUE(fs::exists(place_.path() / "mine/data"));
    open();
}

TEST_F(OpenedTest, NamesTheObjectWhereThePageThatIsWantedIsDamaged) {
    const storage::Key key = directoryOf(1) + block::dataFileName(0);
    Bytes object = storage_.getAll(key);
    storage_.remove(key);
    const auto codeOf = [&](const std::string& path) -> std::string {
        try {
            contentOf(path);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    int missing = 0;
    for (const auto& [path, content] : files_)
        missing += codeOf(path).find(key) != std::string::npos ? 1 : 0;
    EXPECT_GT(missing, 0);
    EXPECT_EQ(codeOf("d/empty"), "") << "needs nothing of it";
    Bytes damaged = object;
    damaged[object.size() / 2] ^= 1;
    storage_.put(key, damaged);
    int hurt = 0;
    for (const auto& [path, content] : files_) {
        const std::string what = codeOf(path);
        if (what.empty()) continue;
        ++hurt;
        EXPECT_NE(what.find(key), std::string::npos) << what;
        EXPECT_NE(what.find("is damaged"), std::string::npos) << what;
    }
    EXPECT_LE(hurt, 2) << "a frame is of two files at most here";
    storage_.remove(key);
    storage_.put(key, object);
    for (const auto& [path, content] : files_)
        EXPECT_TRUE(contentOf(path) == content) << "asked again, after the object has come back: " << path;
}

TEST(LocalPages, WritesABitOnlyWhenItsDataIsDurable) {
    const testing::TemporaryDirectory place;
    const fs::path bits = place.path() / "bits";
    LocalPages pages(bits, 1000);
    pages.add(5);
    pages.add(70);
    int synced = 0;
    pages.sync([&] {
        ++synced;
        EXPECT_FALSE(LocalPages(bits, 1000).has(5)) << "before its data";
        pages.add(6);
        pages.add(999);
    });
    EXPECT_EQ(synced, 1);
    LocalPages after(bits, 1000);
    EXPECT_TRUE(after.has(5) && after.has(70));
    EXPECT_FALSE(after.has(6) || after.has(999)) << "their data may not be durable";
    EXPECT_THROW(pages.sync([] { throw Error(ErrorCode::NoSpace, "full"); }), Error);
    EXPECT_FALSE(LocalPages(bits, 1000).has(999));
    EXPECT_THROW(pages.sync([] {}), Error) << "the system tells of a failure once";
    EXPECT_FALSE(LocalPages(bits, 1000).has(999));
    after.add(7);
    after.sync([] {});
    EXPECT_EQ(LocalPages(bits, 1000).count(), 3U);
    EXPECT_THROW(LocalPages(bits, 64), Error) << "of a longer file";
}

}  // namespace
}  // namespace tidemark::opened
