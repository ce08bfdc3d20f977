#include "block/object_format.h"

#include "base/hash.h"
#include "block/page_hash.h"
#include "storage/newer_version.h"

namespace tidemark::block {
namespace {

// The only values there are so far.
constexpr std::uint8_t kNoCipher = 0;
constexpr std::uint8_t kZstdOfFiltered = 1;
constexpr std::uint8_t kXxh3 = 1;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
    throw Error(ErrorCode::Corrupt, name + " " + what,
                "restore from another backup set, or from a copy of this object");
}

void addForm(ByteWriter& out) {
    out.u8(kNoCipher).u8(kZstdOfFiltered).u8(kXxh3).u8(kPageHashSize).u8(kSealSize);
}

void checkForm(ByteReader& in, const std::string& name) {
    const bool known = in.u8() == kNoCipher && in.u8() == kZstdOfFiltered && in.u8() == kXxh3 &&
                       in.u8() == kPageHashSize && in.u8() == kSealSize;
    if (!known) fail(name, "is stored in a way that no version knows");
}

void checkVersion(std::uint16_t version, const std::string& name) {
    if (version > kFormatVersion) throw storage::newerVersion(name);
    if (version != kFormatVersion) fail(name, "is of a version that was never released");
}

Bytes withChecksum(ByteWriter& out) {
    out.u64(xxh3(out.data()));
    return out.take();
}

bool checksumFits(ByteView bytes) {
    const ByteView covered = bytes.first(bytes.size() - 8);
    return ByteReader(bytes.last(8), "checksum").u64() == xxh3(covered);
}

/// Past its magic and version, of bytes that are whole.
ByteReader opened(std::string_view magic, ByteView bytes, std::size_t size, const char* part, const std::string& name) {
    ByteReader in(bytes, part);
    if (bytes.size() != size || textOf(in.bytes(magic.size())) != magic) fail(name, std::string("has no ") + part);
    if (!checksumFits(bytes)) fail(name, std::string("has a damaged ") + part);
    checkVersion(in.u16(), name);
    return in;
}

}  // namespace

std::uint64_t sealOf(const PartId& id, ByteView stored) {
    ByteWriter identity;
    identity.u8(static_cast<std::uint8_t>(id.kind)).u64(id.layer).u64(id.number);
    return xxh3(stored, xxh3(identity.data()));
}

Bytes sealed(const PartId& id, Bytes part) {
    ByteWriter seal;
    seal.u64(sealOf(id, part));
    part.insert(part.end(), seal.data().begin(), seal.data().end());
    return part;
}

std::optional<ByteView> unsealed(const PartId& id, ByteView stored) {
    if (stored.size() < kSealSize) return std::nullopt;
    const ByteView part = stored.first(stored.size() - kSealSize);
    if (ByteReader(stored.last(kSealSize), "seal").u64() != sealOf(id, part)) return std::nullopt;
    return part;
}

Bytes encodeHead(const ObjectKind& kind, const LayerId& layer, std::uint32_t object) {
    ByteWriter out;
    out.text(kind.head).u16(kFormatVersion);
    addForm(out);
    out.u8(0).u32(layer.set).u32(layer.turn).u32(object).u64(layer.id).bytes(Bytes(20));
    return withChecksum(out);
}

LayerId decodeHead(const ObjectKind& kind, ByteView head, std::uint32_t object, const std::string& name) {
    ByteReader in = opened(kind.head, head, kHeadSize, "head", name);
    checkForm(in, name);
    in.skip(1);
    LayerId layer;
    layer.set = in.u32();
    layer.turn = in.u32();
    if (in.u32() != object) fail(name, "is another object of its set");
    layer.id = in.u64();
    return layer;
}

Bytes encodeTrailer(const ObjectKind& kind, const Trailer& trailer) {
    ByteWriter out;
    out.text(kind.trailer).u16(kFormatVersion).u16(0).u32(trailer.layer.set).u32(trailer.layer.turn);
    out.u32(static_cast<std::uint32_t>(trailer.end - trailer.begin)).u64(trailer.begin).u64(trailer.layer.id);
    return withChecksum(out);
}

Trailer decodeTrailer(const ObjectKind& kind, ByteView bytes, std::uint64_t size, const std::string& name) {
    ByteReader in = opened(kind.trailer, bytes, kTrailerSize, "end", name);
    in.skip(2);
    Trailer trailer;
    trailer.layer.set = in.u32();
    trailer.layer.turn = in.u32();
    const std::uint32_t length = in.u32();
    trailer.begin = in.u64();
    trailer.layer.id = in.u64();
    trailer.end = trailer.begin + length;
    if (trailer.begin < kHeadSize || trailer.end < trailer.begin || trailer.end + kTrailerSize != size) {
        fail(name, "has another size than its end says");
    }
    return trailer;
}

std::string dataFileName(std::uint32_t number) {
    return "macro_block_data." + std::to_string(number) + ".obbak";
}

}  // namespace tidemark::block
