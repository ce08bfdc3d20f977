#include "net/stream.h"

#include "base/secret.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace tidemark::net {

using boost::system::error_code;

/// A connection that always has more to read lets the others of its thread have their turn after so many full buffers.
constexpr unsigned kReadsInARow = 16;

StreamClosed::StreamClosed(const Stream& stream, const std::string& why)
    : Error(ErrorCode::Unavailable, "connection of the " + stream.name() + ": " + why), stream_(&stream) {}

Stream::Stream(std::string name, Socket socket)
    : name_(std::move(name)), socket_(std::move(socket)), pool_(BufferPool::of(socket_.get_executor())) {
    socket_.non_blocking(true);
}

void Stream::consume(std::size_t size) {
    begin_ += size;
    if (begin_ < end_) return;
    begin_ = end_ = 0;
    buffer_.reset();
}

void Stream::wipe(std::size_t size) {
    tidemark::wipe({buffer_.data() + begin_, size});
}

void Stream::makeRoom(std::size_t size) {
    if (!buffer_) buffer_ = pool_.lend();
    if (buffer_.size() - begin_ >= size && end_ < buffer_.size()) return;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (size > buffer_.size() || end_ == buffer_.size()) {
        throw Error(ErrorCode::Internal, "the buffer of the " + name_ + "'s connection is full");
    }
}

/// False if there is nothing to be had now.
bool Stream::readSome() {
    error_code error;
    const std::size_t room = buffer_.size() - end_;
    const std::size_t size = socket_.read_some(asio::buffer(buffer_.data() + end_, room), error);
    if (begin_ == end_ && size == 0) buffer_.reset();
    if (error == asio::error::would_block) return false;
    ended_ = static_cast<bool>(error);
    if (error) fail(error);
    end_ += size;
    likely_readable_ = size == room;
    return true;
}

/// Waits before it borrows a buffer, unless there is likely something to read: a large message has filled the last one.
Awaitable<> Stream::fill(std::size_t room) {
    // Asio waits for an event before it reads again after an end, and none would come.
    if (ended_) fail(asio::error::eof);
    if (likely_readable_ && ++reads_in_a_row_ == kReadsInARow) {
        reads_in_a_row_ = 0;
        co_await asio::post(socket_.get_executor(), kUseAwaitable);
        if (ended_) fail(asio::error::eof);
    }
    for (bool wait = !likely_readable_;; wait = true) {
        if (wait) {
            error_code error;
            co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(kUseAwaitable, error));
            ended_ = static_cast<bool>(error);
            if (error) fail(error);
        }
        makeRoom(room);
        if (readSome()) co_return;
    }
}

Awaitable<> Stream::need(std::size_t size) {
    while (end_ - begin_ < size)
        co_await fill(size);
}

ByteView Stream::writeSome(ByteView bytes) {
    error_code error;
    const std::size_t written = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error && error != asio::error::would_block) fail(error);
    return bytes.subspan(written);
}

Awaitable<> Stream::write(ByteView bytes) {
    error_code error;
    co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                               asio::redirect_error(kUseAwaitable, error));
    if (error) fail(error);
}

/// Asio's wait may end although there is nothing: the event was of bytes that have been read since. That is no matter
/// to fill(), which reads in vain and waits again, but whoever asks which of two sides speaks would listen to the wrong
/// one.
Awaitable<> Stream::readable() {
    for (;;) {
        error_code error;  // the next read meets it again
        co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(kUseAwaitable, error));
        if (error || somethingToRead()) break;
    }
    likely_readable_ = true;
}

/// Bytes, the end, or an error.
bool Stream::somethingToRead() {
    std::uint8_t first = 0;
    error_code error;
    socket_.receive(asio::buffer(&first, 1), Socket::message_peek, error);
    return error != asio::error::would_block;
}

void Stream::close() {
    error_code ignored;
    socket_.close(ignored);
}

void Stream::cancel() {
    ended_ = true;  // for whoever reads next without having to wait
    error_code ignored;
    socket_.cancel(ignored);
}

void Stream::fail(const error_code& error) const {
    throw StreamClosed(*this, error == asio::error::eof ? "closed by the other side" : error.message());
}

namespace {

sockaddr_un unixAddress(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw Error(ErrorCode::InvalidRequest, "the path of a socket is too long: " + path);
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

}  // namespace

Awaitable<Socket> connectUnix(std::string path, std::chrono::milliseconds limit) {
    const sockaddr_un address = unixAddress(path);
    const auto executor = co_await asio::this_coro::executor;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    // By hand, because Asio takes EAGAIN, a unix socket's "queue is full", for a connection in progress.
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) throwErrno(errno, "making a socket");
    while (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno != EAGAIN || std::chrono::steady_clock::now() > deadline) throwErrno(errno, "connecting to " + path);
        Timer pause(executor, std::chrono::milliseconds(10));
        co_await pause.async_wait(kUseAwaitable);
    }
    Socket connected(executor);
    connected.assign(asio::local::stream_protocol(), fd.get());
    fd.release();
    co_return connected;
}

}  // namespace tidemark::net
