#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "net/asio.h"
#include "net/workers.h"

namespace tidemark::net {

/// Runs the blocking function `work` on a worker thread, as a call of `owner`, and resumes the coroutine on its own
/// thread with the result; an exception of `work` is thrown there, and what Workers::post() throws. The one place where
/// the edge meets the engine.
///
/// Give `work` a name and pass it with std::move: GCC 12 destroys a closure twice that is a temporary in a co_await.
/// It must own what it uses, or the coroutine must keep it alive: a session that is closed meanwhile still waits.
template <typename Work>
requires(!std::is_void_v<std::invoke_result_t<Work>>) Awaitable<std::invoke_result_t<Work>> onWorkers(Workers& workers,
                                                                                                      std::string owner,
                                                                                                      Work work) {
    using Result = std::optional<std::invoke_result_t<Work>>;
    auto start = [&workers](auto handler, std::string name, Work call) {
        auto guard = asio::make_work_guard(asio::get_associated_executor(handler));
        // Shared, since a std::function has to be copyable, and a handler is not.
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        const auto end = [resume, guard](std::exception_ptr failure, Result result) {
            asio::post(guard.get_executor(),
                       [resume, failure = std::move(failure), result = std::move(result)]() mutable {
                           auto once = std::move(*resume);
                           std::move(once)(std::move(failure), std::move(result));
                       });
        };
        try {
            auto shared = std::make_shared<Work>(std::move(call));
            workers.post(name, [end, shared](const Error* refusal) {
                Result result;
                std::exception_ptr failure;
                try {
                    if (refusal != nullptr) throw Error(*refusal);
                    result.emplace((*shared)());
                } catch (...) {
                    failure = std::current_exception();
                }
                end(std::move(failure), std::move(result));
            });
        } catch (...) {
            end(std::current_exception(), {});
        }
    };
    Result result =
        co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(std::exception_ptr, Result)>(
            start, kUseAwaitable, std::move(owner), std::move(work));
    co_return std::move(*result);
}

template <typename Work>
requires(std::is_void_v<std::invoke_result_t<Work>>) Awaitable<> onWorkers(Workers& workers, std::string owner,
                                                                           Work work) {
    auto returning = [work = std::move(work)]() mutable {
        work();
        return true;
    };
    co_await onWorkers(workers, std::move(owner), std::move(returning));
}

}  // namespace tidemark::net
