#include "validate/gives_way.h"

#include <pthread.h>

#include "base/stop_sleep.h"

namespace tidemark::validate {
namespace {

/// A server that hangs must not keep the watcher, which the end of a reading waits for.
mysql::Endpoint impatient(mysql::Endpoint server) {
    server.connect_timeout = std::chrono::seconds(2);
    server.statement_timeout = std::chrono::seconds(2);
    return server;
}

/// But for a session: it may wait itself.
constexpr const char* kWaiting =
    "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CAST(? AS UNSIGNED) AND "
    "state IN ('Waiting for table metadata lock', 'Waiting for schema metadata lock', 'Waiting for table flush')";

}  // namespace

GivesWay::GivesWay(mysql::Endpoint server, std::string session)
    : server_(impatient(std::move(server))),
      session_(std::move(session)),
      watcher_([this](const std::stop_token& stop) {
          pthread_setname_np(pthread_self(), "validate-way");
          watch(stop);
      }) {}

bool GivesWay::run(const std::function<void()>& statement) {
    {
        const MutexLock lock(mutex_);
        ++number_;
        running_ = true;
        gave_way_ = false;
    }
    try {
        statement();
    } catch (...) {
        if (stopRunning()) return false;
        throw;
    }
    return !stopRunning();
}

/// Whether it gave way.
bool GivesWay::stopRunning() {
    const MutexLock lock(mutex_);
    running_ = false;
    return gave_way_;
}

std::optional<std::uint64_t> GivesWay::running() {
    const MutexLock lock(mutex_);
    return running_ ? std::optional(number_) : std::nullopt;
}

void GivesWay::watch(const std::stop_token& stop) {
    std::optional<mysql::SqlClient> session;
    std::optional<std::uint64_t> in_the_way;  // the statement during which something waited at the last look
    while (sleepFor(stop, kLookInterval)) {
        const auto number = running();
        try {
            if (!session) session.emplace(server_);
            const bool waits = number && session->scalar(kWaiting, {session_}) != "0";
            if (waits && in_the_way == number) end(*session, *number);
            in_the_way = waits ? number : std::nullopt;
        } catch (const Error&) {
            session.reset();  // the reading itself learns what is wrong with the server
        }
    }
}

/// Whoever runs the next statement waits for the lock, so it is this one that is ended.
void GivesWay::end(mysql::SqlClient& by, std::uint64_t number) {
    const MutexLock lock(mutex_);
    if (!running_ || number_ != number) return;
    by.query("KILL QUERY " + session_);
    gave_way_ = true;
}

}  // namespace tidemark::validate
