#pragma once

#include <map>
#include <sstream>

#include "base/mutex.h"
#include "front/tenant_directory.h"
#include "oceanbase/ob_error.h"
#include "statement/statement_service.h"

/// For tests of the front only: a directory that holds what a test puts in, and an engine with a tiny language.
namespace tidemark::front {

class TestDirectory : public TenantDirectory {
public:
    void set(const std::string& name, TenantAnswer answer) {
        const MutexLock lock(mutex_);
        tenants_[name] = std::move(answer);
    }
    void clear() {
        const MutexLock lock(mutex_);
        tenants_.clear();
    }
    TenantAnswer find(const std::string& name) const override {
        const MutexLock lock(mutex_);
        const auto found = tenants_.find(name);
        return found == tenants_.end() ? TenantAnswer(TenantRefusal{}) : found->second;
    }
    std::optional<std::filesystem::path> anySocket() const override {
        const MutexLock lock(mutex_);
        for (const auto& [name, answer] : tenants_) {
            if (const auto* address = std::get_if<TenantAddress>(&answer)) return address->socket;
        }
        return std::nullopt;
    }

private:
    mutable Mutex mutex_;
    std::map<std::string, TenantAnswer> tenants_ GUARDED_BY(mutex_);
};

/// SHOW TENANT: the caller's tenant. SHOW CALLER: all that is known of it. ALTER SYSTEM … needs the privilege:
/// ECHO ?, … (one row, each value with its kind), ROWS n, FAIL (with a hint), CRASH (an exception that is no Error),
/// WAIT [TENANT = t] (until release()), RESTORE t FROM ? … (refuses its uri); anything else does nothing, successfully.
class TestService : public statement::StatementService {
public:
    bool isOwn(std::string_view text) const override {
        return text.starts_with("ALTER SYSTEM") || text.starts_with("SHOW TENANT") || text.starts_with("SHOW CALLER");
    }

    std::size_t parameterCount(std::string_view text) const override {
        if (text.find("MISSPELT") != std::string_view::npos) throw obError(Ob::ParseSql, "near 'MISSPELT'");
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '?'));
    }

    /// Of its statements only ALTER SYSTEM … TENANT = t names one.
    std::string about(const statement::Caller& caller, std::string_view text,
                      const std::vector<mysql::Value>&) const override {
        const auto named = text.find("TENANT = ");
        return named == std::string_view::npos ? caller.tenant : std::string(text.substr(named + 9));
    }

    statement::StatementResult execute(const statement::Caller& caller, std::string_view text,
                                       const std::vector<mysql::Value>& parameters) override {
        if (text.starts_with("SHOW TENANT")) return {.columns = {"TENANT_NAME"}, .rows = {{caller.tenant}}};
        if (text.starts_with("SHOW CALLER")) {
            return {.columns = {"TENANT", "USER", "DATABASE", "ALTER_SYSTEM"},
                    .rows = {{caller.tenant, caller.user, caller.database, caller.alter_system ? "1" : "0"}}};
        }
        if (!caller.alter_system) throw obError(Ob::NoPrivilege, "ALTER SYSTEM");
        return alterSystem(std::string(text.substr(std::string_view("ALTER SYSTEM ").size())), parameters);
    }

    void waitUntilSomebodyWaits() {
        MutexLock lock(mutex_);
        changed_.wait(lock, [&]() REQUIRES(mutex_) { return waiting_ > 0; });
    }
    void release() {
        const MutexLock lock(mutex_);
        released_ = true;
        changed_.notifyAll();
    }

private:
    statement::StatementResult alterSystem(const std::string& text, const std::vector<mysql::Value>& parameters) {
        parameterCount(text);
        if (text == "FAIL") throw Error(ErrorCode::Conflict, "the tenant is busy", "wait for it");
        if (text == "CRASH") throw std::runtime_error("secret detail");
        if (text == "WAIT" || text.starts_with("WAIT TENANT")) wait();
        if (text.starts_with("RESTORE"))
            throw obError(Ob::InvalidBackupDest, parameters.empty() ? text : shown(parameters[0]));
        if (text.starts_with("ROWS ")) return rows(std::stoul(text.substr(5)));
        if (text.starts_with("ECHO")) return echo(parameters);
        return {.affected_rows = 3};
    }

    void wait() {
        MutexLock lock(mutex_);
        ++waiting_;
        changed_.notifyAll();
        changed_.wait(lock, [&]() REQUIRES(mutex_) { return released_; });
        --waiting_;
    }

    static statement::StatementResult rows(std::size_t count) {
        statement::StatementResult result{.columns = {"N", "NOTHING", "TEXT"}};
        for (std::size_t i = 0; i < count; ++i) {
            result.rows.push_back({std::to_string(i), std::nullopt, std::string(i % 300, 'x')});
        }
        return result;
    }

    static statement::StatementResult echo(const std::vector<mysql::Value>& parameters) {
        statement::StatementResult result;
        result.rows.emplace_back();
        for (const mysql::Value& value : parameters) {
            result.columns.push_back("P" + std::to_string(result.columns.size()));
            result.rows[0].push_back(shown(value));
        }
        return result;
    }

    static std::string shown(const mysql::Value& value) {
        static constexpr const char* kKinds[] = {"null", "int", "uint", "double", "text"};
        std::ostringstream out;
        out << kKinds[value.index()];
        std::visit(
            [&](const auto& content) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(content)>, std::nullptr_t>) out << ":" << content;
            },
            value);
        return out.str();
    }

    Mutex mutex_;
    ConditionVariable changed_;
    int waiting_ GUARDED_BY(mutex_) = 0;
    bool released_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::front
