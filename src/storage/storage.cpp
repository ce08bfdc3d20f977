#include "storage/storage.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::storage {
namespace {

// File systems allow 255 bytes in a name; some room is left for what a storage may add.
constexpr std::size_t kLongestSegment = 200;

bool validSegment(std::string_view segment) {
    return !segment.empty() && segment.size() <= kLongestSegment && segment.front() != '.' &&
           segment.find('\0') == std::string_view::npos;
}

}  // namespace

void requireValidKey(const Key& key) {
    std::string_view rest = key;
    for (;;) {
        const auto slash = rest.find('/');
        if (!validSegment(rest.substr(0, slash))) {
            throw Error(ErrorCode::InvalidRequest, "'" + key + "' cannot be the name of an object");
        }
        if (slash == std::string_view::npos) return;
        rest.remove_prefix(slash + 1);
    }
}

void Storage::put(const Key& key, ByteView bytes) {
    const auto writer = create(key);
    writer->append(bytes);
    writer->finish();
}

void Storage::read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into) {
    const Bytes bytes = get(key, offset, into.size());
    if (bytes.size() != into.size()) {
        throw Error(ErrorCode::Corrupt, url() + "/" + key + ": " + std::to_string(into.size()) + " bytes wanted at " +
                                            std::to_string(offset) + ", " + std::to_string(bytes.size()) + " came");
    }
    std::copy(bytes.begin(), bytes.end(), into.begin());
}

Bytes Storage::getAll(const Key& key) {
    const auto info = stat(key);
    if (!info) throw Error(ErrorCode::NotFound, url() + "/" + key + " does not exist");
    return get(key, 0, info->size);
}

bool Storage::any(const Key& prefix) {
    return !list(prefix).empty();
}

std::size_t Storage::removeUnfinished(const Key&) {
    return 0;
}

}  // namespace tidemark::storage
