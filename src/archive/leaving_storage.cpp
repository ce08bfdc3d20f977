#include "archive/leaving_storage.h"

#include "base/error.h"

namespace tidemark::archive {
namespace {

/// Around each call: before and after it.
class Passage {
public:
    explicit Passage(const std::atomic<bool>& left) : left_(left) { check(); }
    void check() const {
        if (left_) throw Error(ErrorCode::Cancelled, "nobody waits for this destination any more");
    }

private:
    const std::atomic<bool>& left_;
};

template <typename Call>
auto passing(const std::atomic<bool>& left, Call call) {
    const Passage passage(left);
    if constexpr (std::is_void_v<decltype(call())>) {
        call();
        passage.check();
    } else {
        auto answer = call();
        passage.check();
        return answer;
    }
}

}  // namespace

class LeavingStorage::Writer : public storage::ObjectWriter {
public:
    Writer(std::unique_ptr<storage::ObjectWriter> inner, std::shared_ptr<std::atomic<bool>> left)
        : inner_(std::move(inner)), left_(std::move(left)) {}
    void append(ByteView bytes) override {
        passing(*left_, [&] { inner_->append(bytes); });
    }
    void finish() override {
        passing(*left_, [&] { inner_->finish(); });
    }

private:
    const std::unique_ptr<storage::ObjectWriter> inner_;
    const std::shared_ptr<std::atomic<bool>> left_;
};

std::unique_ptr<storage::ObjectWriter> LeavingStorage::create(const storage::Key& key) {
    return passing(*left_, [&]() -> std::unique_ptr<storage::ObjectWriter> {
        return std::make_unique<Writer>(inner_->create(key), left_);
    });
}
Bytes LeavingStorage::get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) {
    return passing(*left_, [&] { return inner_->get(key, offset, size); });
}
std::optional<storage::ObjectInfo> LeavingStorage::stat(const storage::Key& key) {
    return passing(*left_, [&] { return inner_->stat(key); });
}
std::vector<storage::ObjectInfo> LeavingStorage::list(const storage::Key& prefix) {
    return passing(*left_, [&] { return inner_->list(prefix); });
}
void LeavingStorage::remove(const storage::Key& key) {
    passing(*left_, [&] { inner_->remove(key); });
}
std::size_t LeavingStorage::removeUnfinished(const storage::Key& prefix) {
    return passing(*left_, [&] { return inner_->removeUnfinished(prefix); });
}

}  // namespace tidemark::archive
