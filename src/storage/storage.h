#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace tidemark::storage {

/// The name of an object: path segments joined by '/', no leading '/', no "." or "..", e.g.
/// "backup_set_1_full/single_backup_set_info.obbak".
using Key = std::string;

struct ObjectInfo {
    Key key;
    std::uint64_t size = 0;  ///< bytes
};

/// Throws InvalidRequest unless `key` is a proper name as above, with segments of at most 200 bytes and no leading '.'
/// (unfinished objects have such names).
void requireValidKey(const Key& key);

/// What a kind of storage can do besides the required calls.
struct Features {
    bool durable = true;  ///< what put() reported done survives a power failure
};

/// Writes one object in pieces. Nothing is visible under the key until finish() has returned; a writer destroyed
/// without finish() leaves nothing visible. Not thread-safe.
class ObjectWriter {
public:
    virtual ~ObjectWriter() = default;
    virtual void append(ByteView bytes) = 0;
    /// Makes the object durable and visible, in this order. Throws AlreadyExists if the key is taken by now.
    virtual void finish() = 0;
};

/// Immutable objects by key: an object appears whole or not at all, and never changes. All calls block; any thread may
/// call. Failures are Errors: Unavailable (a retry may help), Denied, NoSpace, NotFound, AlreadyExists.
///
/// There is no call that changes an object: what is to be replaced gets a new name.
class Storage {
public:
    virtual ~Storage() = default;

    /// Stores a small object. Throws AlreadyExists if the key is taken.
    virtual void put(const Key& key, ByteView bytes);
    /// For objects too large for memory.
    virtual std::unique_ptr<ObjectWriter> create(const Key& key) = 0;

    /// Exactly bytes [offset, offset + size). Throws NotFound if there is no object, Corrupt if it is shorter; both
    /// name the object.
    virtual Bytes get(const Key& key, std::uint64_t offset, std::uint64_t size) = 0;
    /// The same into memory of the caller's, for those who read much.
    virtual void read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into);
    /// The whole object; meant for small ones (index files, descriptions).
    virtual Bytes getAll(const Key& key);

    /// nullopt if there is no such object.
    virtual std::optional<ObjectInfo> stat(const Key& key) = 0;
    /// Every object whose key begins with `prefix`, in order of keys. A prefix without objects gives an empty list,
    /// also when there is no such directory. Unfinished objects are not listed.
    virtual std::vector<ObjectInfo> list(const Key& prefix) = 0;
    /// Whether list(prefix) would find anything, without finding everything.
    virtual bool any(const Key& prefix);
    /// Removing what is not there is no error.
    virtual void remove(const Key& key) = 0;
    /// Frees what writers that died before finish() left under `prefix`; leaves those alone that are still at work,
    /// in this process or another. Returns how many there were.
    virtual std::size_t removeUnfinished(const Key& prefix);

    virtual Features features() const = 0;
    /// The URI an operator knows this place by, without secrets; errors name objects as url() + "/" + key.
    virtual std::string url() const = 0;
};

}  // namespace tidemark::storage
