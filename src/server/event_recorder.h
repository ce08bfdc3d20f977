#pragma once

#include <deque>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/event_store.h"
#include "tenant/tenant_supervisor.h"

namespace tidemark::server {

/// Writes what the supervisor reports into the catalog's event history, on a thread of its own: the supervisor must not
/// wait for sys, which it may be about to start again. What cannot be written is in the log all the same.
///
/// record() may be called from any thread and never blocks. Of more than 1000 waiting events the oldest are lost.
class EventRecorder {
public:
    explicit EventRecorder(catalog::EventStore& events);
    ~EventRecorder();
    EventRecorder(const EventRecorder&) = delete;
    EventRecorder& operator=(const EventRecorder&) = delete;

    void record(const tenant::SupervisorEvent& event);

private:
    void run(std::stop_token stop);

    catalog::EventStore& events_;
    const Logger log_;
    Mutex mutex_;
    ConditionVariable changed_;
    std::deque<tenant::SupervisorEvent> waiting_ GUARDED_BY(mutex_);
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace tidemark::server
