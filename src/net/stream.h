#pragma once

#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "net/asio.h"
#include "net/buffer_pool.h"

namespace tidemark::net {

class Stream;

/// The other side closed the connection, or it broke; also what a wait ends with after close().
class StreamClosed : public Error {
public:
    StreamClosed(const Stream& stream, const std::string& why);
    bool of(const Stream& stream) const { return stream_ == &stream; }

private:
    const Stream* stream_;
};

/// A connected socket with a reading buffer: look at what has come, pass it on, consume it. This is where TLS will sit.
/// The buffer is borrowed when bytes come and given back when all are consumed: a connection that waits has none.
///
/// Belongs to one coroutine at a time and its thread. Closing from elsewhere: post to the executor first.
class Stream {
public:
    /// What can be looked at in one piece; usually more is read at once.
    static constexpr std::size_t kMostNeeded = BufferPool::kSmall;

    /// `name` is for messages: "client", "tenant".
    Stream(std::string name, Socket socket);

    const std::string& name() const { return name_; }
    Executor executor() { return socket_.get_executor(); }

    /// What has come and was not consumed. Valid until the next consume(), fill() or need().
    ByteView buffered() const { return {buffer_.data() + begin_, end_ - begin_}; }
    void consume(std::size_t size);
    /// Overwrites the first `size` bytes of what is buffered, which may be a password, before they are consumed.
    void wipe(std::size_t size);

    /// Waits for more bytes. Throws StreamClosed. There must be room: consume() what was seen.
    Awaitable<> fill() { return fill(1); }
    /// Waits until at least `size` bytes are buffered (at most kMostNeeded). Throws StreamClosed.
    Awaitable<> need(std::size_t size);

    /// Writes what the socket takes at once and returns the rest, usually nothing: it saves the usual case a coroutine.
    /// Throws StreamClosed.
    ByteView writeSome(ByteView bytes);
    /// Writes all. Throws StreamClosed.
    Awaitable<> write(ByteView bytes);

    /// Completes once there is something to read, or the end, or close(); does not throw.
    Awaitable<> readable();
    /// Calls `then` once when the other side is gone for both directions, on this stream's thread; not if the stream is
    /// closed first. Only reliable for unix sockets: TCP reports a mere half-close by reading.
    template <typename Then>
    void onHangUp(Then then) {
        socket_.async_wait(Socket::wait_error,
                           [then = std::move(then)](const boost::system::error_code& error) mutable {
                               if (!error) then();
                           });
    }

    /// Ends every wait. May be called again.
    void close();
    /// Ends the waits that are going on, without closing: nothing is read any more, but it can be written to.
    void cancel();

private:
    Awaitable<> fill(std::size_t room);
    bool readSome();
    bool somethingToRead();
    void makeRoom(std::size_t size);
    [[noreturn]] void fail(const boost::system::error_code& error) const;

    std::string name_;
    Socket socket_;
    BufferPool& pool_;
    BufferLease buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    unsigned reads_in_a_row_ = 0;  ///< without having waited
    bool likely_readable_ = false;
    bool ended_ = false;  ///< reading met the end, or an error
};

/// Connects to a unix socket. While its queue of pending connections is full it tries again, up to `limit`.
/// Throws NotFound if there is no socket, Unavailable if nobody listens or the limit passes.
Awaitable<Socket> connectUnix(std::string path, std::chrono::milliseconds limit);

}  // namespace tidemark::net
