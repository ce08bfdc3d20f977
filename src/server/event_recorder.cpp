#include "server/event_recorder.h"

#include <pthread.h>

namespace tidemark::server {
namespace {

const char* eventName(tenant::SupervisorEvent::Kind kind) {
    switch (kind) {
        case tenant::SupervisorEvent::Kind::Died:
            return "database_died";
        case tenant::SupervisorEvent::Kind::Restarted:
            return "database_restarted";
        case tenant::SupervisorEvent::Kind::RestartFailed:
            return "database_restart_failed";
    }
    return "database_event";
}

}  // namespace

EventRecorder::EventRecorder(catalog::EventStore& events) : events_(events), log_(makeLogger("events")) {
    thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
    pthread_setname_np(thread_.native_handle(), "events");
}

EventRecorder::~EventRecorder() {
    thread_.request_stop();
}

void EventRecorder::record(const tenant::SupervisorEvent& event) {
    constexpr std::size_t kMost = 1000;
    {
        const MutexLock lock(mutex_);
        if (waiting_.size() == kMost) waiting_.pop_front();
        waiting_.push_back(event);
    }
    changed_.notifyOne();
}

void EventRecorder::run(std::stop_token stop) {
    for (;;) {
        tenant::SupervisorEvent event;
        {
            MutexLock lock(mutex_);
            if (!changed_.wait(lock, stop, [this]() REQUIRES(mutex_) { return !waiting_.empty(); })) return;
            event = waiting_.front();
            waiting_.pop_front();
        }
        try {
            events_.record("tenant", eventName(event.kind),
                           {{"tenant_id", std::to_string(event.tenant)},
                            {"tenant_name", event.name},
                            {"pid", std::to_string(event.pid)},
                            {"attempt", std::to_string(event.attempt)},
                            {"restart_in_ms", std::to_string(event.restart_in.count())}},
                           event.detail);
        } catch (const Error& error) {
            log_->warn("event {} of tenant={} could not be recorded: {}", eventName(event.kind), event.name,
                       error.what());
        }
    }
}

}  // namespace tidemark::server
