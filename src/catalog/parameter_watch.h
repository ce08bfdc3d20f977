#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/parameter_store.h"

namespace tidemark::catalog {

/// Tells those who work by a parameter when it changes, while they work. Looks once per interval, and only while
/// somebody wants to know. Thread-safe.
class ParameterWatch {
public:
    explicit ParameterWatch(ParameterStore& parameters, std::chrono::milliseconds interval = std::chrono::seconds(1));
    /// Nobody follows by then.
    ~ParameterWatch() = default;
    ParameterWatch(const ParameterWatch&) = delete;
    ParameterWatch& operator=(const ParameterWatch&) = delete;

    using Take = std::function<void(std::int64_t)>;

    /// Ends with its destruction: after that, `take` is not called.
    class Following {
    public:
        Following(ParameterWatch& watch, TenantId tenant, std::string name, Take take);
        ~Following();
        Following(const Following&) = delete;
        Following& operator=(const Following&) = delete;

    private:
        friend class ParameterWatch;

        ParameterWatch& watch_;
        const TenantId tenant_;
        const std::string name_;
        const Take take_;
    };

    /// Calls `take`, which waits for nothing, with the value in its type's unit: now, and from another thread when it
    /// has changed or may have. A catalog that does not answer changes nothing.
    std::unique_ptr<Following> follow(TenantId tenant, const std::string& name, Take take) {
        return std::make_unique<Following>(*this, tenant, name, std::move(take));
    }

private:
    void run(std::stop_token stop);
    void lookOnce();

    ParameterStore& parameters_;
    const std::chrono::milliseconds interval_;
    const Logger log_;
    Mutex mutex_;
    ConditionVariable changed_;
    std::list<Following*> followings_ GUARDED_BY(mutex_);
    std::jthread thread_;  // the last member: it uses the others
};

}  // namespace tidemark::catalog
