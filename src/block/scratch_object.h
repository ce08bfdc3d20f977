#pragma once

#include <memory>
#include <optional>

#include "block/scratch.h"
#include "storage/storage.h"

namespace tidemark::block {

/// A storage for one object, in a scratch file: gone with it, also after a crash. Once the object is there, any thread
/// may read it.
class ScratchObject : public storage::Storage {
public:
    /// As ScratchFile.
    explicit ScratchObject(const std::filesystem::path& directory) : file_(directory) {}

    /// Once.
    std::unique_ptr<storage::ObjectWriter> create(const storage::Key& key) override;
    Bytes get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) override;
    std::optional<storage::ObjectInfo> stat(const storage::Key& key) override;
    std::vector<storage::ObjectInfo> list(const storage::Key& prefix) override;
    void remove(const storage::Key& key) override;
    storage::Features features() const override { return {.durable = false}; }
    std::string url() const override { return "scratch:"; }

private:
    class Writer;

    ScratchFile file_;
    std::optional<storage::ObjectInfo> object_;
};

}  // namespace tidemark::block
