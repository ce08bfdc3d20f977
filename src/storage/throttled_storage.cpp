#include "storage/throttled_storage.h"

namespace tidemark::storage {
namespace {

class ThrottledWriter : public ObjectWriter {
public:
    ThrottledWriter(std::unique_ptr<ObjectWriter> inner, Bandwidth& writing, const BandwidthUser& user)
        : inner_(std::move(inner)), writing_(writing), user_(user) {}

    void append(ByteView bytes) override {
        writing_.take(bytes.size(), user_);
        inner_->append(bytes);
    }
    void finish() override { inner_->finish(); }

private:
    const std::unique_ptr<ObjectWriter> inner_;
    Bandwidth& writing_;
    const BandwidthUser user_;
};

}  // namespace

std::unique_ptr<ObjectWriter> ThrottledStorage::create(const Key& key) {
    return std::make_unique<ThrottledWriter>(inner_.create(key), writing_, user_);
}

Bytes ThrottledStorage::get(const Key& key, std::uint64_t offset, std::uint64_t size) {
    Bytes bytes = inner_.get(key, offset, size);
    reading_.take(bytes.size(), user_);
    return bytes;
}

void ThrottledStorage::read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into) {
    inner_.read(key, offset, into);
    reading_.take(into.size(), user_);
}

}  // namespace tidemark::storage
