#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/asio.h"
#include "net/workers.h"

namespace tidemark::net {

struct EventLoopOptions {
    std::string name = "net";  ///< threads are called <name>-0 …
    unsigned threads = 2;
    WorkersOptions workers;
};

/// Threads that wait for the network. Each has an io_context of its own, and whatever belongs to one session stays on
/// one of them, so that sessions need no locks. Blocking work goes to `workers()`, see on_workers.h.
class EventLoop {
public:
    explicit EventLoop(EventLoopOptions options = {});
    /// Stops, if that was not done.
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    void start();
    /// Waits for the blocking work that already runs, then ends the threads. What is still waiting is dropped.
    void stop();

    std::size_t size() const { return contexts_.size(); }
    asio::io_context& context(std::size_t index) { return *contexts_.at(index); }
    Workers& workers() { return workers_; }

private:
    using WorkGuard = asio::executor_work_guard<Executor>;

    const EventLoopOptions options_;
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<WorkGuard> guards_;
    std::vector<std::jthread> threads_;
    Workers workers_;
};

}  // namespace tidemark::net
