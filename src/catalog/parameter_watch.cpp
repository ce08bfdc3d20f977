#include "catalog/parameter_watch.h"

#include <pthread.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/stop_sleep.h"

namespace tidemark::catalog {

ParameterWatch::ParameterWatch(ParameterStore& parameters, std::chrono::milliseconds interval)
    : parameters_(parameters),
      interval_(interval),
      log_(makeLogger("parameters")),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

void ParameterWatch::run(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "parameter-watch");
    MutexLock lock(mutex_);
    while (changed_.wait(lock, stop, [&]() REQUIRES(mutex_) { return !followings_.empty(); })) {
        lock.unlock();
        if (!sleepFor(stop, interval_)) return;
        lookOnce();
        lock.lock();
    }
}

/// The catalog is asked without the lock, so that no job waits for it to end.
void ParameterWatch::lookOnce() {
    std::map<std::pair<TenantId, std::string>, std::int64_t> values;
    {
        const MutexLock lock(mutex_);
        for (const Following* following : followings_)
            values[{following->tenant_, following->name_}] = 0;
    }
    try {
        for (auto& [parameter, value] : values)
            value = parameters_.number(parameter.first, parameter.second);
    } catch (const Error& error) {
        log_->debug("the parameters stay as they were: {}", error.what());
        return;
    }
    const MutexLock lock(mutex_);
    for (const Following* following : followings_) {
        const auto value = values.find({following->tenant_, following->name_});
        if (value != values.end()) following->take_(value->second);
    }
}

ParameterWatch::Following::Following(ParameterWatch& watch, TenantId tenant, std::string name, Take take)
    : watch_(watch), tenant_(tenant), name_(std::move(name)), take_(std::move(take)) {
    take_(watch_.parameters_.number(tenant_, name_));
    const MutexLock lock(watch_.mutex_);
    watch_.followings_.push_back(this);
    watch_.changed_.notifyAll();
}

ParameterWatch::Following::~Following() {
    const MutexLock lock(watch_.mutex_);
    watch_.followings_.remove(this);
}

}  // namespace tidemark::catalog
