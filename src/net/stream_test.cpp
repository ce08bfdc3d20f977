#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <optional>

#include "base/file.h"

namespace tidemark::net {
namespace {

/// A stream on a context that the test turns itself, and the other end of it.
struct SocketPair {
    explicit SocketPair(asio::io_context& context) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throwErrno(errno, "socketpair");
        own = ends[0];
        other = Fd(ends[1]);
        stream.emplace("test", Socket(context.get_executor(), asio::local::stream_protocol(), own));
    }
    void say() const { EXPECT_EQ(write(other.get(), "hello", 5), 5); }
    void drain() const {
        char bytes[16];
        EXPECT_EQ(recv(own, bytes, sizeof bytes, 0), 5);
    }

    int own;
    Fd other;
    std::optional<Stream> stream;
};

Awaitable<> drainWhenTheFirstSpeaks(SocketPair& first, SocketPair& second, bool& heard) {
    co_await first.stream->readable();
    second.drain();
    co_await second.stream->readable();
    heard = true;
}

/// The kernel reports both at once, and the second's bytes are gone when its turn comes.
TEST(Stream, IsNotReadableByAnEventOfBytesThatHaveBeenRead) {
    asio::io_context context;
    SocketPair first(context), second(context);
    bool heard = false;
    asio::co_spawn(context, drainWhenTheFirstSpeaks(first, second, heard), asio::detached);
    context.poll();
    first.say();
    second.say();
    context.poll();
    EXPECT_FALSE(heard);
    second.say();
    context.poll();
    EXPECT_TRUE(heard);
}

Awaitable<> fillAfterCancel(SocketPair& pair, bool& ended) {
    co_await pair.stream->readable();
    pair.drain();
    pair.stream->cancel();
    try {
        co_await pair.stream->fill();
    } catch (const StreamClosed&) {
        ended = true;
    }
}

TEST(Stream, DoesNotWaitAfterCancelThoughThereWasLikelySomethingToRead) {
    asio::io_context context;
    SocketPair pair(context);
    bool ended = false;
    pair.say();
    asio::co_spawn(context, fillAfterCancel(pair, ended), asio::detached);
    context.poll();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace tidemark::net
