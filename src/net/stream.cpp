#include "net/stream.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace tidemark::net {

using boost::system::error_code;

StreamClosed::StreamClosed(const Stream& stream, const std::string& why)
    : Error(ErrorCode::Unavailable, "connection of the " + stream.name() + ": " + why), stream_(&stream) {}

Stream::Stream(std::string name, Socket socket)
    : name_(std::move(name)), socket_(std::move(socket)), buffer_(new std::uint8_t[kBufferSize]) {
    socket_.non_blocking(true);
}

void Stream::consume(std::size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
}

void Stream::makeRoom(std::size_t size) {
    if (kBufferSize - begin_ >= size && end_ < kBufferSize) return;
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (size > kBufferSize || end_ == kBufferSize) {
        throw Error(ErrorCode::Internal, "the buffer of the " + name_ + "'s connection is full");
    }
}

Awaitable<> Stream::fill() {
    makeRoom(1);
    // Asio waits for an event before it reads again after an end, and none would come.
    if (ended_) fail(asio::error::eof);
    error_code error;
    end_ += co_await socket_.async_read_some(asio::buffer(buffer_.get() + end_, kBufferSize - end_),
                                             asio::redirect_error(kUseAwaitable, error));
    ended_ = static_cast<bool>(error);
    if (error) fail(error);
}

Awaitable<> Stream::need(std::size_t size) {
    while (end_ - begin_ < size) {
        makeRoom(size);
        co_await fill();
    }
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

Awaitable<> Stream::readable() {
    error_code ignored;  // the next read meets it again
    co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(kUseAwaitable, ignored));
}

void Stream::close() {
    error_code ignored;
    socket_.close(ignored);
}

void Stream::cancel() {
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
