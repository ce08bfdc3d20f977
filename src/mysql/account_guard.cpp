#include "mysql/account_guard.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/mutex.h"

namespace tidemark::mysql {
namespace {

struct Guards {
    Mutex mutex;
    std::map<std::pair<std::string, std::string>, std::weak_ptr<AccountGuard>> by_account GUARDED_BY(mutex);
};

Guards& guards() {
    static Guards all;
    return all;
}

thread_local bool unguarded = false;

/// Too many connections, a server that goes down, and what a client library says of its own connection.
constexpr auto kPassing = std::to_array<int>({1040, 1053, 1080, 1152, 1159, 1161, 1205, 1213, 1927});

}  // namespace

void guardAccount(const std::string& socket, const std::string& user, std::weak_ptr<AccountGuard> guard) {
    Guards& all = guards();
    const MutexLock lock(all.mutex);
    std::erase_if(all.by_account, [](const auto& entry) { return entry.second.expired(); });
    all.by_account[{socket, user}] = std::move(guard);
}

std::shared_ptr<AccountGuard> guardOf(const std::string& socket, const std::string& user) {
    if (socket.empty() || unguarded) return nullptr;
    Guards& all = guards();
    const MutexLock lock(all.mutex);
    const auto found = all.by_account.find({socket, user});
    return found == all.by_account.end() ? nullptr : found->second.lock();
}

WithoutGuard::WithoutGuard() : before_(unguarded) {
    unguarded = true;
}
WithoutGuard::~WithoutGuard() {
    unguarded = before_;
}

bool refusesAccount(const Error& error) {
    if (!error.sql()) return error.code() == ErrorCode::Denied;
    const int number = error.sql()->number;
    // 2059 and 2061: the account's plugin is one that the library does not have.
    if (number >= 2000 && number < 3000) return number == 2059 || number == 2061;
    return std::find(kPassing.begin(), kPassing.end(), number) == kPassing.end();
}

Error accountIncomplete() {
    return {ErrorCode::Denied, SqlCode{1227, "42000"}, "the daemon's account lacks privileges or has limits"};
}

}  // namespace tidemark::mysql
