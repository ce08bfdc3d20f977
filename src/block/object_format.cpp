#include "block/object_format.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "storage/newer_version.h"

namespace tidemark::block {
namespace {

constexpr std::uint8_t kZstdOfFiltered = 1;  // the only value there is so far
constexpr std::uint8_t kXxh3 = 1;
constexpr std::uint8_t kGmac = 2;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
    throw Error(ErrorCode::Corrupt, name + " " + what,
                "restore from another backup set, or from a copy of this object");
}

/// All of it follows from the cipher, so far.
Bytes formOf(Cipher cipher) {
    return ByteWriter()
        .u8(static_cast<std::uint8_t>(cipher))
        .u8(kZstdOfFiltered)
        .u8(cipher == Cipher::None ? kXxh3 : kGmac)
        .u8(static_cast<std::uint8_t>(hashSize(cipher)))
        .u8(static_cast<std::uint8_t>(sealSize(cipher)))
        .take();
}

Cipher decodeForm(ByteReader& in, const std::string& name) {
    const ByteView form = in.bytes(formOf(Cipher::None).size());
    for (const Cipher cipher : {Cipher::None, Cipher::Aes256Gcm}) {
        const Bytes known = formOf(cipher);
        if (std::equal(form.begin(), form.end(), known.begin())) return cipher;
    }
    fail(name, "is stored in a way that no version knows");
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

Bytes encodeHead(const ObjectKind& kind, const Head& head, std::uint32_t object) {
    ByteWriter out;
    out.text(kind.head).u16(kFormatVersion).bytes(formOf(head.cipher)).u8(0);
    out.u32(head.layer.set).u32(head.layer.turn).u32(object).u64(head.layer.id).bytes(Bytes(20));
    return withChecksum(out);
}

Head decodeHead(const ObjectKind& kind, ByteView bytes, std::uint32_t object, const std::string& name) {
    ByteReader in = opened(kind.head, bytes, kHeadSize, "head", name);
    Head head;
    head.cipher = decodeForm(in, name);
    in.skip(1);
    head.layer.set = in.u32();
    head.layer.turn = in.u32();
    if (in.u32() != object) fail(name, "is another object of its set");
    head.layer.id = in.u64();
    return head;
}

Bytes encodeTrailer(const ObjectKind& kind, const Trailer& trailer) {
    ByteWriter out;
    out.text(kind.trailer).u16(kFormatVersion).u8(static_cast<std::uint8_t>(trailer.cipher)).u8(0);
    out.u32(trailer.layer.set).u32(trailer.layer.turn);
    out.u32(static_cast<std::uint32_t>(trailer.end - trailer.begin)).u64(trailer.begin).u64(trailer.layer.id);
    return withChecksum(out);
}

Trailer decodeTrailer(const ObjectKind& kind, ByteView bytes, std::uint64_t size, const std::string& name) {
    ByteReader in = opened(kind.trailer, bytes, kTrailerSize, "end", name);
    Trailer trailer;
    const std::uint8_t cipher = in.u8();
    if (cipher > static_cast<std::uint8_t>(Cipher::Aes256Gcm))
        fail(name, "is encrypted in a way that no version knows");
    trailer.cipher = static_cast<Cipher>(cipher);
    in.skip(1);
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

std::optional<std::uint32_t> dataFileNumber(std::string_view name) {
    name = name.substr(name.rfind('/') + 1);
    const std::size_t digits = name.find_first_of("0123456789");
    std::uint32_t number = 0;
    if (digits == std::string_view::npos) return std::nullopt;
    std::from_chars(name.data() + digits, name.data() + name.size(), number);
    return name == dataFileName(number) ? std::optional(number) : std::nullopt;
}

}  // namespace tidemark::block
