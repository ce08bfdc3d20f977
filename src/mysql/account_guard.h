#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace tidemark::mysql {

/// Looks after the account that the daemon logs in with at one server: whoever may change accounts there may change
/// this one too. SqlClient and WireClient ask it at every login. Thread-safe.
class AccountGuard {
public:
    virtual ~AccountGuard() = default;

    /// A query whose answer is 1 while the account of the session has all that it was given.
    virtual std::string check() const = 0;
    /// A login that passed the check.
    virtual void accepted() = 0;
    /// The server refused the login, or the check failed: makes the account good again, so that the next login works.
    /// May take as long as a restart of the server. Throws Error if that is not possible.
    virtual void restore(const Error& refusal) = 0;
};

/// From now on `guard` looks after logins of `user` by the unix socket `socket`, as long as it lives. An Endpoint is a
/// plain value that archiver, mirror and jobs keep; so the guard is found by where it leads.
void guardAccount(const std::string& socket, const std::string& user, std::weak_ptr<AccountGuard> guard);
std::shared_ptr<AccountGuard> guardOf(const std::string& socket, const std::string& user);

/// While it lives, logins of this thread ask no guard: for what a guard itself does.
class WithoutGuard {
public:
    WithoutGuard();
    ~WithoutGuard();
    WithoutGuard(const WithoutGuard&) = delete;
    WithoutGuard& operator=(const WithoutGuard&) = delete;

private:
    const bool before_;
};

/// Whether a failed login was the server's judgement of the account, and not a server that is gone, full or starting.
bool refusesAccount(const Error& error);

/// What a failed check is told as.
Error accountIncomplete();

/// Connects by calling `connect`, which throws Error if it fails; once more when the guard has made the account good.
template <typename Connect>
void connectGuarded(AccountGuard* guard, Connect connect) {
    try {
        connect();
        if (guard != nullptr) guard->accepted();
    } catch (const Error& error) {
        if (guard == nullptr || !refusesAccount(error)) throw;
        guard->restore(error);
        connect();
    }
}

}  // namespace tidemark::mysql
