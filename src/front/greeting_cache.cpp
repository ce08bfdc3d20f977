#include "front/greeting_cache.h"

#include "front/packet_stream.h"
#include "net/stream.h"

namespace tidemark::front {
namespace {

using namespace mysql;

/// A tenant that does not greet within this time must not hold up a login to another.
constexpr std::chrono::seconds kProbeLimit{2};

/// As MariaDB 10.11 greets.
Greeting builtIn() {
    Greeting greeting;
    greeting.version = "5.5.5-10.11.0-MariaDB";
    greeting.capabilities = {.basic = 0x81fff7fe, .extended = extended::kUnderstood};
    greeting.charset = 45;  // utf8mb4_general_ci
    greeting.status = status::kAutocommit;
    return greeting;
}

net::Awaitable<Greeting> probe(std::string socket) {
    const auto tenant =
        std::make_shared<net::Stream>("tenant", co_await net::connectUnix(std::move(socket), kProbeLimit));
    net::Timer limit(tenant->executor(), kProbeLimit);
    limit.async_wait([weak = std::weak_ptr(tenant)](const boost::system::error_code& error) {
        const auto stream = weak.lock();
        if (!error && stream) stream->close();
    });
    const Packet first = co_await readPacket(*tenant, kMaxLoginPacket);
    co_return parseGreeting(first.payload);
}

}  // namespace

Greeting offeredGreeting(const Greeting& of_tenant) {
    Greeting offered = of_tenant;
    // With compression both ends would change the framing after the login, and the front could no longer follow.
    // TLS ends at the front or nowhere; this is where its bit will be set.
    offered.capabilities.basic &= ~(capability::kCompress | capability::kSsl | capability::kMysql8Only);
    offered.capabilities.extended &= extended::kUnderstood;
    // The plugin that starts the dance does not matter, since every tenant switches to the account's own; this one all
    // clients know.
    offered.plugin = "mysql_native_password";
    return offered;
}

std::shared_ptr<const Greeting> GreetingCache::known() const {
    const MutexLock lock(mutex_);
    return known_;
}

net::Awaitable<Greeting> GreetingCache::get() {
    if (const auto greeting = known()) co_return *greeting;
    const auto socket = directory_.anySocket();
    if (socket) {
        try {
            learn(co_await probe(socket->string()));
        } catch (const Error&) {
            // It stopped just now; the built-in greeting does as well as it does while nothing runs.
        }
    }
    const auto greeting = known();
    co_return greeting ? *greeting : offeredGreeting(builtIn());
}

void GreetingCache::learn(const Greeting& of_tenant) {
    auto offered = std::make_shared<Greeting>(offeredGreeting(of_tenant));
    const MutexLock lock(mutex_);
    known_ = std::move(offered);
}

}  // namespace tidemark::front
