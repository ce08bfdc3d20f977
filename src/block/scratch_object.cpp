#include "block/scratch_object.h"

#include "base/error.h"

namespace tidemark::block {

class ScratchObject::Writer : public storage::ObjectWriter {
public:
    Writer(ScratchObject& scratch, storage::Key key) : scratch_(scratch), info_{std::move(key), 0} {}

    void append(ByteView bytes) override {
        scratch_.file_.write(info_.size, bytes);
        info_.size += bytes.size();
    }
    void finish() override { scratch_.object_ = info_; }

private:
    ScratchObject& scratch_;
    storage::ObjectInfo info_;
};

std::unique_ptr<storage::ObjectWriter> ScratchObject::create(const storage::Key& key) {
    if (object_) throw Error(ErrorCode::AlreadyExists, url() + object_->key + " is there");
    return std::make_unique<Writer>(*this, key);
}

Bytes ScratchObject::get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) {
    const auto info = stat(key);
    if (!info) throw Error(ErrorCode::NotFound, url() + key + " does not exist");
    if (offset > info->size || size > info->size - offset)
        throw Error(ErrorCode::Corrupt, url() + key + " is shorter than what is wanted of it");
    Bytes bytes(size);
    file_.read(offset, bytes);
    return bytes;
}

std::optional<storage::ObjectInfo> ScratchObject::stat(const storage::Key& key) {
    return object_ && object_->key == key ? object_ : std::nullopt;
}

std::vector<storage::ObjectInfo> ScratchObject::list(const storage::Key& prefix) {
    if (!object_ || !object_->key.starts_with(prefix)) return {};
    return {*object_};
}

void ScratchObject::remove(const storage::Key&) {
    throw Error(ErrorCode::Internal, url() + " removes nothing");
}

}  // namespace tidemark::block
