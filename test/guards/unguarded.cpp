// Is refused by preset `clang`, or what src/ says of its mutexes is not looked at: test `guards` of that preset.
#include "base/mutex.h"

class Counter {
public:
    void increment() { ++count_; }

private:
    tidemark::Mutex mutex_;
    int count_ GUARDED_BY(mutex_) = 0;
};
