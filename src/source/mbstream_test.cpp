#include "source/mbstream.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/error.h"
#include "base/hash.h"

namespace tidemark::source {
namespace {

/// Writes streams as mariadb-backup does.
class StreamWriter {
public:
    StreamWriter& payload(const std::string& path, std::uint64_t offset, std::string_view content,
                          std::uint8_t flags = 0) {
        head('P', path, flags).u64(content.size()).u64(offset).u32(crc32(viewOf(content))).text(content);
        return *this;
    }
    StreamWriter& end(const std::string& path) { return head('E', path), *this; }
    StreamWriter& remove(const std::string& path) { return head('D', path), *this; }
    StreamWriter& seek(const std::string& path, std::uint64_t offset) { return head('S', path).u64(offset), *this; }
    StreamWriter& rename(const std::string& path, const std::string& to) {
        head('R', path).u32(static_cast<std::uint32_t>(to.size())).text(to);
        return *this;
    }
    ByteWriter& head(char type, const std::string& path, std::uint8_t flags = 0) {
        bytes_.text("XBSTCK01").u8(flags).u8(static_cast<std::uint8_t>(type));
        return bytes_.u32(static_cast<std::uint32_t>(path.size())).text(path);
    }
    const Bytes& bytes() const { return bytes_.data(); }

private:
    ByteWriter bytes_;
};

/// Delivers bytes in pieces of random size, as a pipe does.
MbstreamParser::Pull dribble(const Bytes& bytes, std::mt19937& random) {
    return [&bytes, &random, at = std::size_t{0}](std::span<std::uint8_t> into) mutable {
        const std::size_t size = std::min({into.size(), bytes.size() - at, std::size_t{1} + random() % 100'000});
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
        at += size;
        return size;
    };
}

/// Plays a stream as mbstream -x does.
std::map<std::string, std::string> extract(MbstreamParser& parser, std::mt19937& random) {
    std::map<std::string, std::string> files;
    while (const auto chunk = parser.next()) {
        switch (chunk->kind) {
            case Chunk::Kind::Data: {
                std::string& file = files[chunk->path];
                if (chunk->replaces) file.clear();
                for (std::uint64_t done = 0; done < chunk->size;) {
                    Bytes piece(std::min<std::uint64_t>(chunk->size - done, 1 + random() % 200'000));
                    parser.read(piece);
                    file.resize(std::max<std::size_t>(file.size(), chunk->offset + done + piece.size()));
                    file.replace(chunk->offset + done, piece.size(), textOf(piece));
                    done += piece.size();
                }
                break;
            }
            case Chunk::Kind::End:
                files[chunk->path];
                break;
            case Chunk::Kind::Rename:
                files[chunk->new_path] = std::move(files[chunk->path]);
                files.erase(chunk->path);
                break;
            case Chunk::Kind::Remove:
                files.erase(chunk->path);
                break;
        }
    }
    return files;
}

class MbstreamTest : public ::testing::Test {
protected:
    ~MbstreamTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }
    std::map<std::string, std::string> extract(const Bytes& stream) {
        MbstreamParser parser(dribble(stream, random_));
        auto files = source::extract(parser, random_);
        open_files_ = parser.openFiles();
        return files;
    }
    std::string refusal(const Bytes& stream) {
        try {
            extract(stream);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt);
            return error.what();
        }
        ADD_FAILURE() << "the stream was taken";
        return {};
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    std::size_t open_files_ = 0;
};

TEST_F(MbstreamTest, FollowsInterleavedFilesAndEveryKindOfChunk) {
    const std::string large(700'000, 'x');
    StreamWriter stream;
    stream.payload("./a", 0, "one").payload("b", 0, large).payload("./a", 3, "two").end("./a").end("empty");
    stream.payload("b", large.size(), large).end("b").payload("c", 0, "123456").seek("c", 2).payload("c", 2, "XY");
    stream.end("c").payload("old", 0, "old").end("old").payload("old", 0, "new", 2).end("old").rename("b", "d");
    stream.payload("gone", 0, "x").end("gone").remove("gone").head('?', "ignorable", 1);
    const std::map<std::string, std::string> expected = {
        {"a", "onetwo"}, {"empty", ""}, {"c", "12XY56"}, {"old", "new"}, {"d", large + large}};
    EXPECT_EQ(extract(stream.bytes()), expected);
    EXPECT_EQ(open_files_, 0U);
}

TEST_F(MbstreamTest, TellsWhichFilesHaveNotEnded) {
    extract(StreamWriter().payload("a", 0, "x").payload("b", 0, "x").end("a").bytes());
    EXPECT_EQ(open_files_, 1U);
}

TEST_F(MbstreamTest, RefusesWhatIsNotInOrder) {
    EXPECT_NE(refusal(StreamWriter().payload("a", 1, "x").bytes()).find("goes on at 1"), std::string::npos);
    EXPECT_NE(refusal(StreamWriter().payload("a", 0, "x").payload("a", 2, "x").bytes()).find("instead of 1"),
              std::string::npos);
    EXPECT_NE(refusal(StreamWriter().seek("a", 0).bytes()).find("not open"), std::string::npos);
    StreamWriter unknown;
    unknown.head('?', "a");
    EXPECT_NE(refusal(unknown.bytes()).find("unknown type"), std::string::npos);
    EXPECT_NE(refusal({'g', 'a', 'r', 'b', 'a', 'g', 'e', '!', '!', '!'}).find("no chunk"), std::string::npos);
}

TEST_F(MbstreamTest, NeedsNoMemoryForLengthsThatAreClaimed) {
    StreamWriter stream;
    stream.head('P', "a").u64(1ULL << 62).u64(0).u32(0).text("not so much");
    EXPECT_NE(refusal(stream.bytes()).find("middle of a chunk"), std::string::npos);
    ByteWriter long_path;
    long_path.text("XBSTCK01").u8(0).u8('P').u32(0xffffffff);
    EXPECT_NE(refusal(long_path.data()).find("path"), std::string::npos);
}

TEST_F(MbstreamTest, NoticesEveryFlippedBitOfAPayload) {
    const Bytes good = StreamWriter().payload("a", 0, std::string(100'000, 'x')).end("a").bytes();
    for (int round = 0; round < 50; ++round) {
        Bytes bad = good;
        bad[40 + random_() % 99'000] ^= static_cast<std::uint8_t>(1U << (random_() % 8));
        EXPECT_NE(refusal(bad).find("checksum"), std::string::npos);
    }
}

TEST_F(MbstreamTest, SurvivesAnyBytes) {
    const Bytes good = StreamWriter()
                           .payload("a", 0, "some content")
                           .payload("b", 0, std::string(300, 'y'))
                           .seek("a", 3)
                           .payload("a", 3, "zz")
                           .end("a")
                           .rename("a", "c")
                           .end("b")
                           .remove("b")
                           .bytes();
    for (int round = 0; round < 5000; ++round) {
        Bytes bad = good;
        for (unsigned i = 0; i <= random_() % 3; ++i)
            bad[random_() % bad.size()] = static_cast<std::uint8_t>(random_());
        if (random_() % 4 == 0) bad.resize(random_() % bad.size());
        try {
            MbstreamParser parser(dribble(bad, random_));
            while (const auto chunk = parser.next()) {
                for (std::uint64_t left = chunk->kind == Chunk::Kind::Data ? chunk->size : 0; left > 0;) {
                    Bytes piece(std::min<std::uint64_t>(left, 1000));
                    parser.read(piece);
                    left -= piece.size();
                }
            }
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
        }
    }
}

}  // namespace
}  // namespace tidemark::source
