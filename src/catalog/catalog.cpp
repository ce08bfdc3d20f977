#include "catalog/catalog.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "base/growing_pause.h"
#include "base/random.h"
#include "catalog/schema.h"
#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{500};

/// A catalog call inside a catalog call would take a second connection while holding one: with all connections so held,
/// nobody goes on.
thread_local bool inside_call = false;

class CallGuard {
public:
    CallGuard() {
        if (inside_call) throw Error(ErrorCode::Internal, "a catalog call inside a catalog call");
        inside_call = true;
    }
    ~CallGuard() { inside_call = false; }
    CallGuard(const CallGuard&) = delete;
};

/// Errors after which the connection itself is fine: a deadlock, a lock wait that took too long.
bool connectionSurvives(const Error& error) {
    return error.sql() && (error.sql()->number == 1213 || error.sql()->number == 1205);
}

/// What a server that is going down says besides losing the connection: the statement was interrupted.
bool mayPass(const Error& error) {
    return error.code() == ErrorCode::Unavailable || (error.sql() && error.sql()->number == 1317);
}

Error closed() {
    return Error(ErrorCode::Unavailable, "the catalog is closed");
}

void rollBackQuietly(mysql::SqlClient& client) {
    try {
        client.query("ROLLBACK");
    } catch (const Error&) {
        // the connection is gone, and with it the transaction
    }
}

}  // namespace

/// A place for one connection. Only its lessee touches the client.
struct Catalog::Slot {
    int number = 0;
    bool leased = false;
    std::optional<mysql::SqlClient> client;
    Fd socket;  ///< of the client; guarded by the catalog's mutex_, for close()
};

class Catalog::Lease {
public:
    explicit Lease(Catalog& catalog) : catalog_(catalog), slot_(catalog.acquire()) {}
    ~Lease() { catalog_.release(slot_); }
    Lease(const Lease&) = delete;
    Slot& slot() { return slot_; }

private:
    Catalog& catalog_;
    Slot& slot_;
};

Catalog::Catalog(CatalogOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), owner_(randomU63()) {
    for (std::size_t i = 0; i < options_.connections; ++i) {
        slots_.push_back(std::make_unique<Slot>());
        slots_.back()->number = static_cast<int>(i);
    }
}

Catalog::~Catalog() = default;

void Catalog::migrate() {
    const CallGuard guard;
    retrying([this](Slot& slot) { migrateSchema(connected(slot)); });
}

mysql::SqlClient& Catalog::connected(Slot& slot) {
    if (slot.client) return *slot.client;
    mysql::Endpoint sys = options_.endpoint;
    sys.result_limit = mysql::Endpoint::kOwnResultLimit;
    slot.client.emplace(sys);
    Fd socket = slot.client->duplicateSocket();
    {
        const MutexLock lock(mutex_);
        if (closed_) throw closed();
        slot.socket = std::move(socket);
    }
    slot.client->script(
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci;"
        "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
        "    innodb_lock_wait_timeout = 10, autocommit = 1;"
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    return *slot.client;
}

Catalog::Slot& Catalog::acquire() {
    MutexLock lock(mutex_);
    Slot* free = nullptr;
    changed_.wait(lock, [&]() REQUIRES(mutex_) {
        for (const auto& slot : slots_) {
            // A connected one first: few connections are ever opened when little is going on.
            if (!slot->leased && (free == nullptr || (slot->client && !free->client))) free = slot.get();
        }
        return free != nullptr || closed_;
    });
    if (closed_) throw closed();
    free->leased = true;
    return *free;
}

void Catalog::release(Slot& slot) {
    const MutexLock lock(mutex_);
    slot.leased = false;
    changed_.notifyAll();
}

void Catalog::close() {
    const MutexLock lock(mutex_);
    closed_ = true;
    for (const auto& slot : slots_) {
        if (slot->socket.valid()) ::shutdown(slot->socket.get(), SHUT_RDWR);
    }
    changed_.notifyAll();
}

bool Catalog::pauseBefore(steady_clock::time_point deadline, std::chrono::milliseconds pause) {
    MutexLock lock(mutex_);
    if (steady_clock::now() + pause > deadline) return false;
    return !changed_.waitFor(lock, pause, [&]() REQUIRES(mutex_) { return closed_; });
}

void Catalog::retrying(const std::function<void(Slot&)>& attempt) {
    const auto deadline = steady_clock::now() + options_.retry_limit;
    for (GrowingPause pauses(kFirstPause, kLongestPause);;) {
        try {
            Lease lease(*this);
            try {
                attempt(lease.slot());
                return;
            } catch (const Error& error) {
                if (mayPass(error) && !connectionSurvives(error)) lease.slot().client.reset();
                throw;
            }
        } catch (const Error& error) {
            if (!mayPass(error)) throw;
            if (pauseBefore(deadline, pauses.next())) continue;
            throw Error(ErrorCode::Unavailable, fmt::format("the sys tenant's database is away: {}", error.what()),
                        "see the log of tenant sys; tidemarkd starts its mariadbd again");
        }
    }
}

void Catalog::readOnce(const Work& work) {
    const CallGuard guard;
    retrying([&](Slot& slot) {
        mysql::SqlClient& client = connected(slot);
        const std::uint64_t before = client.roundTrips();
        work(client);
        if (client.roundTrips() > before + 1)
            throw Error(ErrorCode::Internal, "a read of the catalog sent several statements, each of its own moment");
    });
}

void Catalog::readConsistent(const Work& work) {
    const CallGuard guard;
    retrying([&](Slot& slot) {
        mysql::SqlClient& client = connected(slot);
        client.script(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        try {
            work(client);
        } catch (...) {
            rollBackQuietly(client);
            throw;
        }
        client.query("COMMIT");
    });
}

void Catalog::transaction(const Work& work) {
    const CallGuard guard;
    retrying([&](Slot& slot) {
        mysql::SqlClient& client = connected(slot);
        const std::uint64_t token = randomU63();
        client.query("START TRANSACTION");
        try {
            work(client);
        } catch (...) {
            rollBackQuietly(client);
            throw;
        }
        commit(slot, token);
    });
}

/// Writes a marker and commits, in one round trip. A connection lost in it leaves open whether that happened: then the
/// marker tells, which the same transaction wrote.
void Catalog::commit(Slot& slot, std::uint64_t token) {
    try {
        slot.client->script(
            fmt::format("INSERT INTO tidemark.commit_marker VALUES ({}, {}, {}, NOW(6)) "
                        "ON DUPLICATE KEY UPDATE token = VALUES(token), at = VALUES(at);"
                        "COMMIT",
                        owner_, slot.number, token));
        return;
    } catch (const Error& error) {
        if (!mayPass(error) || connectionSurvives(error)) {
            rollBackQuietly(*slot.client);
            throw;
        }
        slot.client.reset();
    }
    if (!committed(slot, token)) {
        throw Error(ErrorCode::Unavailable, "the connection was lost before the transaction was committed");
    }
}

bool Catalog::committed(Slot& slot, std::uint64_t token) {
    const auto deadline = steady_clock::now() + options_.retry_limit;
    for (GrowingPause pauses(kFirstPause, kLongestPause);;) {
        try {
            // FOR UPDATE waits for the lost transaction, should the server still be busy with it.
            const auto found = connected(slot).scalar(
                "SELECT token FROM tidemark.commit_marker WHERE owner = ? AND slot = ? FOR UPDATE",
                {owner_, std::int64_t{slot.number}});
            return found == std::to_string(token);
        } catch (const Error& error) {
            slot.client.reset();
            if (!mayPass(error)) throw;
            if (pauseBefore(deadline, pauses.next())) continue;
            throw Error(ErrorCode::Internal,
                        fmt::format("a change of the catalog may or may not have happened, and the sys tenant's "
                                    "database is away: {}",
                                    error.what()),
                        "see the log of tenant sys");
        }
    }
}

}  // namespace tidemark::catalog
