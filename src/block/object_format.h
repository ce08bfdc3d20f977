#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "storage/storage.h"

/// What the objects of a layer have in common: docs/format/macro_block.md.
namespace tidemark::block {

constexpr std::uint16_t kFormatVersion = 3;
constexpr std::size_t kHeadSize = 64;
constexpr std::size_t kTrailerSize = 48;

/// What encrypts the parts of a layer.
enum class Cipher : std::uint8_t { None = 0, Aes256Gcm = 1 };
/// Bytes of what follows each part.
constexpr std::size_t sealSize(Cipher cipher) {
    return cipher == Cipher::None ? 8 : 16;
}
constexpr std::size_t kLargestSeal = 16;
/// Bytes of the hash of a page.
constexpr std::size_t hashSize(Cipher cipher) {
    return cipher == Cipher::None ? 8 : 16;
}

/// A turn of a set: whose frames they are.
struct LayerId {
    std::uint32_t set = 0;
    std::uint32_t turn = 1;
    std::uint64_t id = 0;  ///< random

    bool operator==(const LayerId&) const = default;
};

enum class PartKind : std::uint8_t { Frame = 'F', Section = 'S', Group = 'G', Directory = 'D' };

/// What a part of an object is; no two parts of a layer are the same.
struct PartId {
    PartKind kind{};
    std::uint64_t layer = 0;  ///< LayerId::id
    std::uint64_t number = 0;
};

struct ObjectKind {
    std::string_view head;     ///< magic, 8 bytes
    std::string_view trailer;  ///< the same at its end
};
constexpr ObjectKind kDataObject{"TDMKDATA", "TDMKFOOT"};
constexpr ObjectKind kIndexObject{"TDMKINDX", "TDMKIEND"};

/// The beginning of an object.
struct Head {
    LayerId layer;
    Cipher cipher = Cipher::None;
};
Bytes encodeHead(const ObjectKind& kind, const Head& head, std::uint32_t object);
/// Throws Corrupt, InvalidRequest if a newer version wrote it; both name the object.
Head decodeHead(const ObjectKind& kind, ByteView bytes, std::uint32_t object, const std::string& name);

/// Runs `work`, which reads parts of `object`. An error of a number that does not end inside its part says where that
/// was; others say so themselves.
template <typename Work>
auto naming(const std::string& object, Work work) {
    try {
        return work();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Corrupt || std::string(error.what()).find(object) != std::string::npos) throw;
        throw error.in(object);
    }
}

/// The end of an object.
struct Trailer {
    LayerId layer;
    std::uint64_t begin = 0;  ///< where what comes after the frames, or the groups, begins
    std::uint64_t end = 0;    ///< of it; the trailer follows
    Cipher cipher = Cipher::None;
};
Bytes encodeTrailer(const ObjectKind& kind, const Trailer& trailer);
/// As decodeHead. `size`: of the whole object.
Trailer decodeTrailer(const ObjectKind& kind, ByteView bytes, std::uint64_t size, const std::string& name);

/// Names of the objects below the directory of a layer.
std::string dataFileName(std::uint32_t number);
/// The number in the name, or key, of a data object; nullopt for anything else.
std::optional<std::uint32_t> dataFileNumber(std::string_view name);
constexpr const char* kRangeIndexName = "macro_range_index.obbak";

}  // namespace tidemark::block
