#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <type_traits>

#include "net/asio.h"

namespace tidemark::net {

/// Runs the blocking function `work` on a worker thread and resumes the coroutine on its own thread with the result;
/// an exception of `work` is thrown there. The one place where the edge meets the engine.
///
/// Give `work` a name and pass it with std::move: GCC 12 destroys a closure twice that is a temporary in a co_await.
/// It must own what it uses, or the coroutine must keep it alive: a session that is closed meanwhile still waits.
template <typename Work>
requires(!std::is_void_v<std::invoke_result_t<Work>>) Awaitable<std::invoke_result_t<Work>> onWorkers(
    asio::thread_pool& workers, Work work) {
    using Result = std::optional<std::invoke_result_t<Work>>;
    auto start = [&workers](auto handler, Work call) {
        auto guard = asio::make_work_guard(asio::get_associated_executor(handler));
        asio::post(workers, [handler = std::move(handler), call = std::move(call), guard = std::move(guard)]() mutable {
            Result result;
            std::exception_ptr failure;
            try {
                result.emplace(call());
            } catch (...) {
                failure = std::current_exception();
            }
            asio::post(guard.get_executor(), [handler = std::move(handler), result = std::move(result),
                                              failure = std::move(failure)]() mutable {
                std::move(handler)(std::move(failure), std::move(result));
            });
        });
    };
    Result result =
        co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(std::exception_ptr, Result)>(
            start, kUseAwaitable, std::move(work));
    co_return std::move(*result);
}

template <typename Work>
requires(std::is_void_v<std::invoke_result_t<Work>>) Awaitable<> onWorkers(asio::thread_pool& workers, Work work) {
    auto returning = [work = std::move(work)]() mutable {
        work();
        return true;
    };
    co_await onWorkers(workers, std::move(returning));
}

}  // namespace tidemark::net
