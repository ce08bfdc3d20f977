#include "archive/archiver.h"

#include <fmt/format.h>
#include <pthread.h>

#include "archive/archiver_loop.h"
#include "base/error.h"

namespace tidemark::archive {

static std::atomic<int> left_behind = 0;

Archiver::Archiver(ArchiverOptions options, std::shared_ptr<storage::Storage> destination, const Clock& clock,
                   ArchiveListener& listener)
    : loop_(std::make_shared<ArchiverLoop>(std::move(options), std::move(destination), clock, listener)) {}

Archiver::~Archiver() {
    end();
}

void Archiver::start() {
    thread_ = std::jthread([loop = loop_](std::stop_token stop) {
        pthread_setname_np(pthread_self(), "archiver");
        loop->run(std::move(stop));
        if (loop->isLeft()) --left_behind;
    });
}

void Archiver::beginStop() {
    loop_->beginEnd(ArchiverLoop::Ending::Close);
    thread_.request_stop();
}

void Archiver::beginAbandon() {
    loop_->beginEnd(ArchiverLoop::Ending::Flush);
    thread_.request_stop();
}

void Archiver::end() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    if (loop_->awaitEnd([] { ++left_behind; })) return thread_.join();
    thread_.detach();
}

void Archiver::abandon() {
    beginAbandon();
    end();
}

void Archiver::stop() {
    beginStop();
    end();
    loop_->throwFailure();
}

void Archiver::setLagTarget(std::chrono::milliseconds lag_target) {
    loop_->setLagTarget(lag_target);
}

void Archiver::hurry() {
    loop_->hurry();
}

void Archiver::attend() {
    loop_->attend();
}

int Archiver::leftBehind() {
    return left_behind;
}

}  // namespace tidemark::archive
