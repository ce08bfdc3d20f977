#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "fuzz.h"
#include "source/backup_log.h"
#include "source/mariadb_backup.h"
#include "source/mbstream.h"
#include "source/stage_log.h"

namespace tidemark::fuzz {
namespace {

using namespace source;

/// Everything a stream tells, as text; `step`: how many bytes come at once.
std::string told(ByteView stream, std::size_t step) {
    std::string all;
    const bool whole = accepted([&] {
        MbstreamParser parser([&](std::span<std::uint8_t> into) {
            const std::size_t size = std::min({into.size(), stream.size(), step});
            std::copy_n(stream.begin(), size, into.begin());
            stream = stream.subspan(size);
            return size;
        });
        Bytes buffer(997);
        while (const auto chunk = parser.next()) {
            all += std::to_string(static_cast<int>(chunk->kind)) + chunk->path + ">" + chunk->new_path + " " +
                   std::to_string(chunk->offset) + "+" + std::to_string(chunk->size) + "\n";
            for (std::uint64_t left = chunk->kind == Chunk::Kind::Data ? chunk->size : 0; left > 0;) {
                const auto part = std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()));
                parser.read(part);
                left -= part.size();
            }
        }
    });
    return all + (whole ? "." : "!");
}

void runMbstream(ByteView input) {
    Choices choices(input);
    const std::size_t step = 1 + choices.byte();
    requireThat(told(choices.rest(), step) == told(choices.rest(), choices.rest().size() + 1),
                "a stream tells the same however its bytes come");
}

ByteWriter& chunk(ByteWriter& out, char type, std::string_view path) {
    out.text("XBSTCK01").u8(0).u8(static_cast<std::uint8_t>(type));
    return out.u32(static_cast<std::uint32_t>(path.size())).text(path);
}

std::vector<Bytes> mbstreamSeeds() {
    ByteWriter out;
    out.u8(9);
    const std::string content = "content of a file";
    chunk(out, 'P', "./shop/t1.ibd").u64(content.size()).u64(0).u32(crc32(viewOf(content))).text(content);
    chunk(out, 'S', "shop/t1.ibd").u64(4096);
    chunk(out, 'P', "shop/t1.ibd").u64(1).u64(4096).u32(crc32(viewOf("x"))).text("x");
    chunk(out, 'E', "shop/t1.ibd");
    chunk(out, 'R', "a").u32(1).text("b");
    chunk(out, 'D', "c");
    return {out.take()};
}

const Registered registered_mbstream({"mbstream", runMbstream, mbstreamSeeds});

/// A file of these bytes that has a name.
class Named {
public:
    explicit Named(ByteView bytes) : fd_(memfd_create("log", MFD_CLOEXEC)) {
        path_ = "/proc/self/fd/" + std::to_string(fd_.get());
        writeAt(fd_.get(), bytes, 0, path_);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    Fd fd_;
    std::filesystem::path path_;
};

void runLog(ByteView input) {
    const Named log(input);
    completedOk(log.path());
    requireThat(complaintOf(log.path()).size() <= 1000, "a complaint is no longer than people read");
    StageLog stage(log.path());
    stage.update();
    requireThat(stage.update() == stage.update(), "nothing new changes nothing");
}

std::vector<Bytes> logSeeds() {
    return seedsOf(
        {"[00] 2026-11-21 11:37:44 Starting BACKUP STAGE START\n[00] 2026-11-21 11:37:44 Acquired locks for "
         "BACKUP STAGE BLOCK_DDL\n[00] 2026-11-21 11:37:45 Starting BACKUP STAGE BLOCK_COMMIT\n"
         "[00] 2026-11-21 11:37:46 All tables unlocked\n[00] 2026-11-21 11:37:47 completed OK!\n",
         "[01] 2026-11-21 11:37:44 Error: cannot open\nFATAL ERROR: 2026-11-21 11:37:44 failed\n"});
}

const Registered registered_log({"backup_log", runLog, logSeeds});

void runInfo(ByteView input) {
    Choices choices(input);
    const std::string checkpoints(textOf(choices.longPart()));
    const std::string binlog(textOf(choices.part()));
    const SourceFacts facts = parseInfoFiles({{"xtrabackup_checkpoints", checkpoints},
                                              {"mariadb_backup_binlog_info", binlog},
                                              {"xtrabackup_info", choices.text()}});
    requireThat(facts.gtid.size() + facts.binlog_file.size() <= binlog.size(), "facts are parts of what was said");
}

std::vector<Bytes> infoSeeds() {
    const std::string_view checkpoints = "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 51\nlast_lsn = 60\n";
    const std::string_view binlog = "binlog.000002\t345\t0-1-17\n";
    ByteWriter seed;
    seed.u8(0).u8(static_cast<std::uint8_t>(checkpoints.size())).text(checkpoints);
    seed.u8(static_cast<std::uint8_t>(binlog.size())).text(binlog);
    return {seed.text("tool_version = 10\nserver_version = 10.11.14-MariaDB-log\n").take()};
}

const Registered registered_info({"backup_info", runInfo, infoSeeds});

}  // namespace
}  // namespace tidemark::fuzz
