#include "net/event_loop.h"

#include <pthread.h>

#include <algorithm>
#include <exception>

#include "base/log.h"

namespace tidemark::net {
namespace {

/// Handlers catch what they can answer for; anything that gets here is a defect of one session, not of the others.
void run(asio::io_context& context, const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());  // the kernel's limit
    for (;;) {
        try {
            context.run();
            return;
        } catch (const std::exception& failure) {
            makeLogger(name)->error("a handler failed: {}", failure.what());
        }
    }
}

}  // namespace

EventLoop::EventLoop(EventLoopOptions options) : options_(std::move(options)), workers_(options_.workers) {
    for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
        // The hint 1: only one thread runs this context, though others may post to it.
        contexts_.push_back(std::make_unique<asio::io_context>(1));
        guards_.emplace_back(contexts_.back()->get_executor());
    }
}

EventLoop::~EventLoop() {
    stop();
}

void EventLoop::start() {
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
        threads_.emplace_back(run, std::ref(*contexts_[i]), options_.name + "-" + std::to_string(i));
    }
}

void EventLoop::stop() {
    workers_.stop();
    for (const auto& context : contexts_)
        context->stop();
    threads_.clear();
}

}  // namespace tidemark::net
