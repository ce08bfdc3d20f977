#pragma once

#include <arpa/inet.h>
#include <mysql.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "base/file.h"
#include "mysql/handshake.h"
#include "mysql/packet.h"
#include "mysql/sql_client.h"
#include "testing/eventually.h"

/// For tests of the front only: clients that show what SqlClient hides.
namespace tidemark::front {

using testing::eventually;

/// Connector/C without the wrapper.
class LibClient {
public:
    LibClient(std::uint16_t port, const std::string& user, const std::string& password = "", unsigned long flags = 0,
              const std::string& host = "127.0.0.1")
        : handle_(mysql_init(nullptr), mysql_close) {
        const unsigned local_files = 1;
        mysql_options(get(), MYSQL_OPT_LOCAL_INFILE, &local_files);
        const unsigned long big = 1UL << 30;
        mysql_options(get(), MYSQL_OPT_MAX_ALLOWED_PACKET, &big);
        ok_ = mysql_real_connect(get(), host.c_str(), user.c_str(), password.c_str(), nullptr, port, nullptr, flags) !=
              nullptr;
    }

    MYSQL* get() const { return handle_.get(); }
    bool connected() const { return ok_; }
    unsigned error() const { return mysql_errno(get()); }
    std::string message() const { return mysql_error(get()); }
    std::string state() const { return mysql_sqlstate(get()); }

    /// 0 or the error's number.
    unsigned run(const std::string& statement) const {
        if (mysql_real_query(get(), statement.data(), statement.size()) != 0) return error();
        do {
            mysql_free_result(mysql_store_result(get()));
        } while (mysql_next_result(get()) == 0);
        return error();
    }
    /// The first value of the first row; "" for NULL, "error N" for an error.
    std::string value(const std::string& statement) const {
        if (mysql_real_query(get(), statement.data(), statement.size()) != 0) return "error " + std::to_string(error());
        MYSQL_RES* result = mysql_store_result(get());
        if (result == nullptr) return "error " + std::to_string(error());
        MYSQL_ROW row = mysql_fetch_row(result);
        std::string text =
            row != nullptr && row[0] != nullptr ? std::string(row[0], mysql_fetch_lengths(result)[0]) : "";
        mysql_free_result(result);
        return text;
    }

private:
    std::unique_ptr<MYSQL, void (*)(MYSQL*)> handle_;
    bool ok_ = false;
};

/// Bytes over TCP, packets where wanted. Reads give up after 20 s.
class RawClient {
public:
    explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval limit{.tv_sec = 20, .tv_usec = 0};
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throwErrno(errno, "connect");
    }

    void send(ByteView bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) throwErrno(errno, "send");
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }
    void command(mysql::Command command, std::string_view rest) const {
        send(mysql::packet(0, ByteWriter().u8(static_cast<std::uint8_t>(command)).text(rest).data()));
    }

    /// nullopt at the end of the connection.
    std::optional<Bytes> receive(std::size_t size) const {
        Bytes bytes(size);
        for (std::size_t at = 0; at < size;) {
            const ssize_t got = recv(fd_.get(), bytes.data() + at, size - at, 0);
            if (got <= 0) return std::nullopt;
            at += static_cast<std::size_t>(got);
        }
        return bytes;
    }
    std::optional<Bytes> payload() {
        const auto header = receive(mysql::kHeaderSize);
        if (!header) return std::nullopt;
        last_ = mysql::parseHeader(header->data());
        return receive(last_.length);
    }
    std::uint8_t sequence() const { return last_.sequence; }
    bool closed() const { return !receive(1); }
    /// Vanishes with a reset instead of a farewell.
    void reset() {
        const linger now{.l_onoff = 1, .l_linger = 0};
        setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        fd_ = Fd();
    }

    /// As a user without password. Returns the last packet: OK or ERR.
    Bytes logIn(const std::string& user, std::uint32_t more_bits = 0, std::uint32_t extended = 0) {
        const mysql::Greeting greeting = mysql::parseGreeting(payload().value());
        mysql::HandshakeResponse response;
        using namespace mysql::capability;
        response.capabilities.basic =
            kProtocol41 | kSecureConnection | kPluginAuth | kMultiResults | (1U << 16) | more_bits;
        response.capabilities.extended = extended;
        response.charset = 45;
        response.user = user;
        response.plugin = greeting.plugin;
        send(mysql::packet(1, mysql::buildHandshakeResponse(response)));
        for (;;) {
            Bytes answer = payload().value();
            if (answer.at(0) != 0xfe) return answer;
            send(mysql::packet(static_cast<std::uint8_t>(sequence() + 1), {}));
        }
    }

private:
    Fd fd_;
    mysql::PacketHeader last_;
};

}  // namespace tidemark::front
