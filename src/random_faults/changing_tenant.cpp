#include "random_faults/changing_tenant.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "block/page.h"

namespace tidemark::random_faults {
namespace {

using block::kPageSize;

class MbstreamWriter {
public:
    void payload(const std::string& path, std::uint64_t offset, ByteView content) {
        head('P', path).u64(content.size()).u64(offset).u32(crc32(content)).bytes(content);
    }
    void end(const std::string& path) { head('E', path); }
    void remove(const std::string& path) { head('D', path); }
    void rename(const std::string& path, const std::string& to) {
        head('R', path).u32(static_cast<std::uint32_t>(to.size())).text(to);
    }
    Bytes take() { return bytes_.take(); }

private:
    ByteWriter& head(char type, const std::string& path) {
        bytes_.text("XBSTCK01").u8(0).u8(static_cast<std::uint8_t>(type));
        return bytes_.u32(static_cast<std::uint32_t>(path.size())).text(path);
    }

    ByteWriter bytes_;
};

/// A file that is being sent.
struct Sent {
    std::string path;  ///< in the stream
    const Bytes* content = nullptr;
    std::size_t done = 0;
};

}  // namespace

ChangingTenant::ChangingTenant(std::uint64_t seed) : random_(seed) {
    files_["aria_log_control"] = content(52);
    files_["ib_logfile0"] = content(30'000);
    files_["ibdata1"] = content(9 * kPageSize);
    files_["empty/db.opt"] = {};
    for (int i = 0; i < 5; ++i)
        files_[newTable()] = content(anySize());
}

/// Half of it compresses, and some pages are zeros.
Bytes ChangingTenant::content(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t page = 0; page < size; page += kPageSize) {
        if (random_() % 8 == 0) continue;
        const std::size_t end = std::min(size, page + kPageSize);
        for (std::size_t at = page; at < end; at += 16) {
            const std::uint64_t word = random_();
            for (std::size_t i = 0; i < 8 && at + i < end; ++i)
                bytes[at + i] = static_cast<std::uint8_t>(word >> 8 * i);
        }
    }
    return bytes;
}

std::size_t ChangingTenant::anySize() {
    const std::size_t tail = random_() % 4 == 0 ? random_() % kPageSize : 0;
    // Now and then more than a macro block.
    const std::size_t pages = random_() % 50 == 0 ? 100 + random_() % 60 : random_() % 7;
    return pages * kPageSize + tail;
}

std::string ChangingTenant::newTable() {
    return "d" + std::to_string(random_() % 3) + "/t" + std::to_string(++tables_) + ".ibd";
}

Bytes& ChangingTenant::anyFile() {
    return std::next(files_.begin(), static_cast<std::ptrdiff_t>(random_() % files_.size()))->second;
}

void ChangingTenant::changeFile(Bytes& file) {
    switch (random_() % 8) {
        case 0:
            file.resize(random_() % (file.size() + 1));
            break;
        case 1:
            file.resize(file.size() + random_() % (3 * kPageSize));
            break;
        case 2:
            file = content(file.size());
            break;
        default: {
            if (file.empty()) break;
            const std::size_t page = random_() % block::partsOf(file.size(), kPageSize) * kPageSize;
            const Bytes changed = content(std::min(kPageSize, file.size() - page));
            std::copy(changed.begin(), changed.end(), file.begin() + static_cast<std::ptrdiff_t>(page));
        }
    }
}

void ChangingTenant::change() {
    for (std::uint64_t changes = random_() % 8; changes > 0; --changes)
        changeFile(anyFile());
    files_["ib_logfile0"] = content(random_() % 60'000);
    if (random_() % 3 == 0) files_[newTable()] = content(anySize());
    if (random_() % 3 == 0) {
        const auto table = files_.lower_bound("d1/");
        if (table != files_.end() && table->first.starts_with("d")) {
            auto renamed = files_.extract(table);
            renamed.key() = newTable();
            if (random_() % 2 == 0) files_.insert(std::move(renamed));
        }
    }
}

Bytes ChangingTenant::stream() {
    MbstreamWriter stream;
    std::vector<Sent> waiting;
    std::vector<std::pair<std::string, std::string>> renamed;
    const Bytes gone = content(anySize());
    for (const auto& [path, file] : files_) {
        const bool begins_as_another = path.ends_with(".ibd") && random_() % 6 == 0;
        const std::string name = begins_as_another ? path.substr(0, path.size() - 4) + ".new" : path;
        if (begins_as_another) renamed.emplace_back(name, path);
        waiting.push_back({name, &file});
    }
    const bool has_gone = random_() % 3 == 0;
    if (has_gone) waiting.push_back({"d0/gone.ibd", &gone});
    std::shuffle(waiting.begin(), waiting.end(), random_);
    std::vector<Sent> open;
    while (!waiting.empty() || !open.empty()) {
        while (open.size() < 3 && !waiting.empty()) {
            open.push_back(waiting.back());
            waiting.pop_back();
        }
        Sent& sent = open[random_() % open.size()];
        const std::size_t size = std::min<std::size_t>(sent.content->size() - sent.done, 1 + random_() % 200'000);
        if (size > 0) stream.payload(sent.path, sent.done, ByteView(*sent.content).subspan(sent.done, size));
        sent.done += size;
        if (sent.done < sent.content->size()) continue;
        stream.end(sent.path);
        std::swap(sent, open.back());
        open.pop_back();
    }
    for (const auto& [from, to] : renamed)
        stream.rename(from, to);
    if (has_gone) stream.remove("d0/gone.ibd");
    return stream.take();
}

}  // namespace tidemark::random_faults
