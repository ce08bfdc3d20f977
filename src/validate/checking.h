#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "backup_set/backup_set.h"
#include "base/error.h"
#include "base/require_going.h"
#include "block/worker_pool.h"
#include "catalog/types.h"
#include "restore/data_restore.h"
#include "storage/storage.h"

namespace tidemark::validate {

/// Any thread may read it while a unit is checked. Bytes are those of objects, each counted once.
struct CheckProgress {
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::int64_t> objects{0};
    /// Of a set that is restored: bytes are those that it restores to.
    restore::DataRestoreProgress restored;
    std::atomic<std::int64_t> tables{0};
    std::atomic<std::int64_t> finished_tables{0};
    std::atomic<catalog::Looked> looked{catalog::Looked::All};

    std::uint64_t allBytes() const { return bytes + restored.finished_bytes; }
};

/// What the checks of one unit work with; references outlive them.
struct Checking {
    storage::Storage& storage;
    block::Lane& lane;
    CheckProgress& progress;
    std::filesystem::path scratch;  ///< where scratch files without a name are made
    std::stop_token stop;
    /// What the storage answers for, and does not give, is a finding. Else it is thrown: the destination may be away.
    bool unreadable_is_finding = false;
    /// Of a set that is encrypted; null: it is not, or its key is not known.
    std::function<block::ChainKeyPtr(const backup_set::SetId&)> key_of = [](const auto&) { return nullptr; };

    /// A stage begins; returns when it has been shown.
    std::function<void(catalog::ValidateStage)> on_stage = [](auto) {};

    std::string uri(const storage::Key& key) const { return storage.url() + "/" + key; }
    /// A small object has been read, whatever it was; if there is none, nothing.
    void counted(const storage::Key& key) const {
        const auto info = storage.stat(key);
        if (!info) return;
        progress.bytes += info->size;
        ++progress.objects;
    }
    /// Throws Cancelled.
    void requireGoing() const {
        tidemark::requireGoing(stop, "the validation was cancelled");
    }
    /// Whether an error of reading an object says something of the object, and not of the destination or of us.
    bool isFinding(const Error& error) const {
        switch (error.code()) {
            case ErrorCode::NotFound:
            case ErrorCode::Corrupt:
            case ErrorCode::InvalidRequest:
                return true;
            case ErrorCode::Unavailable:
            case ErrorCode::Denied:
                return unreadable_is_finding;
            default:
                return false;
        }
    }
};

}  // namespace tidemark::validate
