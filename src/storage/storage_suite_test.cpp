#include "storage/storage_suite.h"

#include "storage/faulty_storage.h"
#include "storage/file_storage.h"
#include "storage/memory_storage.h"
#include "storage/subtree_storage.h"
#include "storage/throttled_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark::storage {
namespace {

/// A storage together with what it lives on.
struct FileStorageInTemporaryDirectory {
    testing::TemporaryDirectory directory;
    FileStorage storage{directory.path()};
};

struct FaultyOverMemory {
    MemoryStorage inner;
    FaultyStorage storage{inner, {}, 1};
};

/// With limits that no test notices but that are in force.
struct ThrottledOverMemory {
    MemoryStorage inner;
    Bandwidth reading;
    Bandwidth writing;
    ThrottledStorage storage{inner, reading, writing, {}};

    ThrottledOverMemory() {
        reading.setLimit(1 << 30);
        writing.setLimit(1 << 30);
    }
};

/// Beside objects of others, whose names begin likewise.
struct SubtreeOverMemory {
    MemoryStorage inner;
    SubtreeStorage storage{inner, "of/one/"};

    SubtreeOverMemory() {
        inner.put("of/another", {});
        inner.put("of/one-more/a", {});
    }
};

template <typename Holder>
std::shared_ptr<Storage> make() {
    const auto holder = std::make_shared<Holder>();
    return {holder, &holder->storage};
}

INSTANTIATE_TEST_SUITE_P(File, StorageSuite, ::testing::Values(&make<FileStorageInTemporaryDirectory>));
INSTANTIATE_TEST_SUITE_P(Faulty, StorageSuite, ::testing::Values(&make<FaultyOverMemory>));
INSTANTIATE_TEST_SUITE_P(Throttled, StorageSuite, ::testing::Values(&make<ThrottledOverMemory>));
INSTANTIATE_TEST_SUITE_P(Subtree, StorageSuite, ::testing::Values(&make<SubtreeOverMemory>));
INSTANTIATE_TEST_SUITE_P(Memory, StorageSuite, ::testing::Values([]() -> std::shared_ptr<Storage> {
                             return std::make_shared<MemoryStorage>();
                         }));

}  // namespace
}  // namespace tidemark::storage
