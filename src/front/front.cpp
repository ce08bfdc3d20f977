#include "front/front.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cerrno>

#include "front/error_reply.h"
#include "front/session.h"
#include "oceanbase/ob_error.h"

namespace tidemark::front {

namespace {

/// What the rest of the daemon may have open: files, tenants, destinations.
constexpr rlim_t kOtherDescriptors = 512;
constexpr rlim_t kDescriptorsPerSession = 2;

/// Raises the limit of open descriptors as far as the sessions need it; where the system allows less, fewer sessions
/// are admitted: a client is better told "too many connections" than left waiting in the kernel's queue.
FrontOptions withinDescriptorLimit(FrontOptions options) {
    const rlim_t wanted = kOtherDescriptors + kDescriptorsPerSession * options.max_sessions;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) throwErrno(errno, "asking for the limit of open files");
    if (limit.rlim_cur >= wanted) return options;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) throwErrno(errno, "raising the limit of open files");
    if (limit.rlim_cur >= wanted) return options;
    const rlim_t left = limit.rlim_cur - std::min(limit.rlim_cur, kOtherDescriptors);
    options.max_sessions = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(left / kDescriptorsPerSession));
    makeLogger("front")->warn("only {} sessions are admitted, since this process may open no more than {} files",
                              options.max_sessions, limit.rlim_cur);
    return options;
}

/// After their connections were closed, sessions end as soon as their thread gets to it.
constexpr std::chrono::seconds kCloseLimit{2};

}  // namespace

/// The order of the members is the order of life: sessions still use the context while the loop is destroyed.
struct Front::Running {
    Running(TenantDirectory& directory, statement::StatementService& service, const FrontOptions& options)
        : context{.options = withinDescriptorLimit(options), .directory = directory, .service = service, .loop = loop},
          loop({.name = "front", .threads = options.threads, .workers = options.workers}) {}

    void accept(net::Socket socket, net::Peer peer);

    FrontContext context;
    net::EventLoop loop;
    std::shared_ptr<net::Listener> listener;
};

void Front::Running::accept(net::Socket socket, net::Peer peer) {
    const auto id = context.registry.enter();
    if (!id) {
        context.refused.fetch_add(1, std::memory_order_relaxed);
        net::Stream client("client", std::move(socket));
        client.writeSome(errorReply(0, context.registry.closed() ? nodeEnds() : obError(Ob::TooManyConnections)));
        return;
    }
    const auto session = std::make_shared<Session>(context, std::move(socket), std::move(peer), *id);
    const bool welcome = context.registry.setEnder(*id, [weak = std::weak_ptr(session)](SessionRegistry::End how) {
        if (const auto alive = weak.lock()) alive->end(how);
    });
    if (!welcome) return session->end(SessionRegistry::End::AtOnce);
    net::asio::co_spawn(session->executor(), session->run(),
                        [session, log = context.log](const std::exception_ptr& failure) {
                            if (failure) log->error("a session ended with an exception that it should have handled");
                        });
}

Front::Front(TenantDirectory& directory, statement::StatementService& service, FrontOptions options)
    : running_(std::make_unique<Running>(directory, service, options)) {}

Front::~Front() {
    stop();
}

void Front::start(Fd listening) {
    Running& running = *running_;
    running.listener = net::Listener::open(running.loop, std::move(listening));
    running.listener->start(
        [&running](net::Socket socket, net::Peer peer) { running.accept(std::move(socket), std::move(peer)); });
    running.loop.start();
    running.context.log->info("listening on {}", running.listener->where());
}

std::uint16_t Front::port() const {
    return running_->listener ? running_->listener->port() : 0;
}

void Front::stop(std::chrono::milliseconds limit) {
    if (!running_->listener) return;
    running_->listener->stop();
    SessionRegistry& registry = running_->context.registry;
    registry.close(SessionRegistry::End::WhenIdle);
    if (!registry.waitEmpty(limit)) {
        registry.close(SessionRegistry::End::AtOnce);
        registry.waitEmpty(kCloseLimit);
    }
    running_->loop.stop();
    running_->listener.reset();
}

FrontCounters Front::counters() const {
    const FrontContext& context = running_->context;
    return {.sessions = context.registry.now(),
            .sessions_total = context.registry.total(),
            .refused_total = context.refused.load(std::memory_order_relaxed),
            .own_statements_total = context.own_statements.load(std::memory_order_relaxed)};
}

}  // namespace tidemark::front
