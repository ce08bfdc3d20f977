#include "tenant/tenant_supervisor.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace tidemark::tenant {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TenantSupervisor::TenantSupervisor(Report report, SupervisorOptions options)
    : report_(std::move(report)),
      options_(options),
      log_(makeLogger("supervisor")),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_.valid()) throwErrno(errno, "making an eventfd");
    thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
    pthread_setname_np(thread_.native_handle(), "supervisor");
}

TenantSupervisor::~TenantSupervisor() {
    thread_.request_stop();
    wake();
}

void TenantSupervisor::wake() {
    const std::uint64_t one = 1;
    // It can only fail when the counter is full, and then the thread is awake anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void TenantSupervisor::watch(std::shared_ptr<TenantServer> server) {
    {
        const MutexLock lock(mutex_);
        const auto tenant = server->id();
        Watched& watched = watched_[tenant];
        watched.process = server->process();
        watched.server = std::move(server);
        watched.started = watched.due = steady_clock::now();
    }
    wake();
}

void TenantSupervisor::forget(catalog::TenantId tenant) {
    MutexLock lock(mutex_);
    watched_.erase(tenant);
    launched_.wait(lock, [&]() REQUIRES(mutex_) { return launching_ != tenant; });
}

void TenantSupervisor::run(std::stop_token stop) {
    while (!stop.stop_requested()) {
        try {
            bool any = false;
            for (const catalog::TenantId tenant : concerned()) {
                auto event = noteDeath(tenant);
                if (!event) event = restart(tenant);
                if (!event) continue;
                report_(*event);
                any = true;
            }
            if (!any) wait();
        } catch (const Error& error) {
            log_->error("watching the databases failed, going on in a second: {}", error.what());
            pollfd woken{.fd = wake_.get(), .events = POLLIN, .revents = 0};
            ::poll(&woken, 1, 1000);
        }
    }
}

/// Sleeps until a process ends, a restart is due or the list changes.
void TenantSupervisor::wait() {
    std::vector<pollfd> wanted{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    // Handles of our own: another thread may forget() a tenant, which closes its handle, while we sleep.
    std::vector<ProcessHandle> handles;
    milliseconds pause(60'000);
    {
        const MutexLock lock(mutex_);
        for (const auto& [tenant, watched] : watched_) {
            if (watched.process) {
                handles.push_back(watched.process->duplicate());
                wanted.push_back({.fd = handles.back().fd(), .events = POLLIN, .revents = 0});
            } else {
                pause = std::min(pause, std::chrono::ceil<milliseconds>(watched.due - steady_clock::now()));
            }
        }
    }
    const int limit = static_cast<int>(std::max<std::int64_t>(0, pause.count()));
    if (::poll(wanted.data(), wanted.size(), limit) < 0 && errno != EINTR) throwErrno(errno, "polling process handles");
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
}

/// Whose process has ended, or is due to be started.
std::vector<catalog::TenantId> TenantSupervisor::concerned() {
    const MutexLock lock(mutex_);
    std::vector<catalog::TenantId> tenants;
    for (const auto& [tenant, watched] : watched_) {
        if (watched.process ? watched.process->ended() : watched.due <= steady_clock::now()) tenants.push_back(tenant);
    }
    return tenants;
}

milliseconds TenantSupervisor::nextPause(Watched& watched) const {
    const bool first = watched.pause.count() == 0;
    watched.pause = first ? options_.first_pause : std::min(2 * watched.pause, options_.longest_pause);
    watched.due = steady_clock::now() + watched.pause;
    return watched.pause;
}

std::optional<SupervisorEvent> TenantSupervisor::noteDeath(catalog::TenantId tenant) {
    SupervisorEvent event{.kind = SupervisorEvent::Kind::Died, .tenant = tenant};
    std::shared_ptr<TenantServer> server;
    {
        const MutexLock lock(mutex_);
        const auto found = watched_.find(tenant);
        if (found == watched_.end() || !found->second.process || !found->second.process->ended()) return std::nullopt;
        Watched& watched = found->second;
        if (steady_clock::now() - watched.started >= options_.stable_after) {
            watched.attempt = 0;
            watched.pause = milliseconds(0);
        }
        event.pid = watched.process->pid();
        watched.process.reset();
        event.restart_in = nextPause(watched);
        event.attempt = watched.attempt;
        server = watched.server;
    }
    event.name = server->name();
    event.detail = server->logTail();
    log_->warn("mariadbd of tenant={} (pid {}) has ended, next start in {} ms", event.name, event.pid,
               event.restart_in.count());
    return event;
}

std::optional<SupervisorEvent> TenantSupervisor::restart(catalog::TenantId tenant) {
    SupervisorEvent event{.kind = SupervisorEvent::Kind::Restarted, .tenant = tenant};
    std::shared_ptr<TenantServer> server;
    {
        const MutexLock lock(mutex_);
        const auto found = watched_.find(tenant);
        if (found == watched_.end() || found->second.process || found->second.due > steady_clock::now())
            return std::nullopt;
        event.attempt = ++found->second.attempt;
        server = found->second.server;
        launching_ = tenant;
    }
    launch(*server, event);
    {
        const MutexLock lock(mutex_);
        launching_ = 0;
        const auto found = watched_.find(tenant);
        if (found != watched_.end()) {
            Watched& watched = found->second;
            watched.process = server->process();
            watched.started = steady_clock::now();
            if (!watched.process) event.restart_in = nextPause(watched);
        }
    }
    launched_.notifyAll();
    if (event.kind == SupervisorEvent::Kind::Restarted) {
        log_->info("mariadbd of tenant={} started again as pid {}, attempt {}", event.name, event.pid, event.attempt);
    } else {
        log_->error("mariadbd of tenant={} cannot be started, attempt {}, next in {} ms: {}", event.name, event.attempt,
                    event.restart_in.count(), event.detail);
    }
    return event;
}

/// Without a lock: others' tenants are watched and forgotten meanwhile.
void TenantSupervisor::launch(TenantServer& server, SupervisorEvent& event) {
    event.name = server.name();
    try {
        server.launch();
        event.pid = server.pid().value_or(0);
    } catch (const std::exception& error) {
        event.detail = error.what();
    }
    if (event.pid == 0) event.kind = SupervisorEvent::Kind::RestartFailed;
}

}  // namespace tidemark::tenant
