#pragma once

#include "block/layer_key.h"
#include "storage/storage.h"

namespace tidemark::backup_set {

/// A storage around another whose objects lie there encrypted, part by part, so that any range is read alone; keys and
/// sizes here are those of the content. For the log that an encrypted set carries: docs/format/backup_set.md. Outlived
/// by what it is given. Thread-safe as that is.
///
/// Reading throws Corrupt, naming the object, for what is not as it was written, lies under another key, or is cut.
class SealedStorage : public storage::Storage {
public:
    SealedStorage(storage::Storage& inner, block::ChainKeyPtr chain) : inner_(inner), chain_(std::move(chain)) {}

    std::unique_ptr<storage::ObjectWriter> create(const storage::Key& key) override;
    Bytes get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) override;
    std::optional<storage::ObjectInfo> stat(const storage::Key& key) override;
    std::vector<storage::ObjectInfo> list(const storage::Key& prefix) override;
    bool any(const storage::Key& prefix) override { return inner_.any(prefix); }
    void remove(const storage::Key& key) override { inner_.remove(key); }
    std::size_t removeUnfinished(const storage::Key& prefix) override { return inner_.removeUnfinished(prefix); }
    storage::Features features() const override { return inner_.features(); }
    std::string url() const override { return inner_.url(); }

private:
    class Writer;

    [[noreturn]] void fail(const storage::Key& key, const std::string& what) const;
    std::uint64_t plainSize(const storage::ObjectInfo& stored) const;

    storage::Storage& inner_;
    const block::ChainKeyPtr chain_;
};

}  // namespace tidemark::backup_set
