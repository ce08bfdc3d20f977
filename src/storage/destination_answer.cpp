#include <pthread.h>

#include <exception>
#include <thread>

#include "base/error.h"
#include "base/mutex.h"
#include "storage/destination.h"

namespace tidemark::storage {
namespace {

/// Shared by who asks and who waits; who comes last frees it.
struct Question {
    Mutex mutex;
    ConditionVariable changed;
    bool answered GUARDED_BY(mutex) = false;
    std::exception_ptr failure GUARDED_BY(mutex);
};

void ask(const std::shared_ptr<Question>& question, const std::shared_ptr<Storage>& destination) {
    pthread_setname_np(pthread_self(), "ask-destination");
    std::exception_ptr failure;
    try {
        requireAnswer(*destination);
    } catch (...) {
        failure = std::current_exception();
    }
    const MutexLock lock(question->mutex);
    question->failure = failure;
    question->answered = true;
    question->changed.notifyAll();
}

}  // namespace

void requireAnswer(const std::shared_ptr<Storage>& destination, const std::stop_token& stop) {
    const auto question = std::make_shared<Question>();
    std::thread([question, destination] { ask(question, destination); }).detach();
    MutexLock lock(question->mutex);
    question->changed.wait(lock, stop, [&]() REQUIRES(question->mutex) { return question->answered; });
    if (!question->answered) throw Error(ErrorCode::Cancelled, destination->url() + " was not waited for any longer");
    if (question->failure) std::rethrow_exception(question->failure);
}

}  // namespace tidemark::storage
