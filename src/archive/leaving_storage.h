#pragma once

#include <atomic>
#include <memory>

#include "storage/storage.h"

namespace tidemark::archive {

/// A storage that throws Cancelled, whatever is asked of it, once `left` is set: also when a call that was under way
/// comes back. So a thread that hung in it goes no step further.
class LeavingStorage : public storage::Storage {
public:
    LeavingStorage(std::shared_ptr<storage::Storage> inner, std::shared_ptr<std::atomic<bool>> left)
        : inner_(std::move(inner)), left_(std::move(left)) {}

    std::unique_ptr<storage::ObjectWriter> create(const storage::Key& key) override;
    Bytes get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) override;
    std::optional<storage::ObjectInfo> stat(const storage::Key& key) override;
    std::vector<storage::ObjectInfo> list(const storage::Key& prefix) override;
    void remove(const storage::Key& key) override;
    std::size_t removeUnfinished(const storage::Key& prefix) override;
    storage::Features features() const override { return inner_->features(); }
    std::string url() const override { return inner_->url(); }

private:
    class Writer;

    const std::shared_ptr<storage::Storage> inner_;
    const std::shared_ptr<std::atomic<bool>> left_;
};

}  // namespace tidemark::archive
