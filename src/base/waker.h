#pragma once

#include "base/file.h"

namespace tidemark {

/// Wakes a thread that waits in poll(2): wake() makes the descriptor readable until clear(). Thread-safe.
class Waker {
public:
    Waker();
    void wake();
    void clear();
    int fd() const { return fd_.get(); }

private:
    Fd fd_;
};

}  // namespace tidemark
