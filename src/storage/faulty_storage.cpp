#include "storage/faulty_storage.h"

#include <algorithm>
#include <thread>

namespace tidemark::storage {
namespace {

using Effect = FaultRule::Effect;
using Operation = FaultRule::Operation;

}  // namespace

bool FaultyStorage::Struck::has(Effect effect) const {
    return std::find(effects.begin(), effects.end(), effect) != effects.end();
}

class FaultyWriter : public ObjectWriter {
public:
    FaultyWriter(FaultyStorage& storage, Key key, std::unique_ptr<ObjectWriter> inner)
        : storage_(storage), key_(std::move(key)), inner_(std::move(inner)) {}

    void append(ByteView bytes) override {
        const auto struck = storage_.strike(Operation::Append, key_);
        const bool torn = struck.has(Effect::Torn);
        if (torn || struck.has(Effect::Short)) {
            inner_->append(bytes.first(bytes.size() / 2));
        } else if (struck.has(Effect::Flip)) {
            Bytes damaged(bytes.begin(), bytes.end());
            storage_.damage(struck, damaged);
            inner_->append(damaged);
        } else {
            inner_->append(bytes);
        }
        if (torn) storage_.fail(struck.error, key_);
        storage_.failAfter(struck, key_);
    }
    void finish() override {
        const auto struck = storage_.strike(Operation::Finish, key_);
        if (struck.has(Effect::Lose)) return inner_.reset();
        inner_->finish();
        storage_.failAfter(struck, key_);
    }

private:
    FaultyStorage& storage_;
    const Key key_;
    std::unique_ptr<ObjectWriter> inner_;
};

FaultyStorage::FaultyStorage(Storage& inner, std::vector<FaultRule> rules, std::uint64_t seed)
    : inner_(inner), random_(seed) {
    for (FaultRule& rule : rules)
        rules_.push_back({std::move(rule)});
}

FaultyStorage::Struck FaultyStorage::strike(Operation operation, const Key& key) {
    Struck struck;
    std::chrono::milliseconds delay{0};
    std::vector<std::function<void()>> calls;
    std::optional<ErrorCode> failure;
    {
        const MutexLock lock(mutex_);
        for (RuleState& state : rules_) {
            const FaultRule& rule = state.rule;
            if (rule.on != operation || key.find(rule.key_part) == Key::npos) continue;
            if (state.seen++ < rule.after || state.struck >= rule.times) continue;
            if (std::uniform_real_distribution<>()(random_) >= rule.probability) continue;
            ++state.struck;
            struck.effects.push_back(rule.effect);
            struck.error = rule.error;
            if (rule.effect == Effect::Delay) delay += rule.delay;
            if (rule.effect == Effect::Call) calls.push_back(rule.call);
            if (rule.effect != Effect::Fail) continue;
            failure = rule.error;
            break;
        }
    }
    for (const auto& call : calls)
        call();
    if (failure) fail(*failure, key);
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    return struck;
}

void FaultyStorage::fail(ErrorCode error, const Key& key) const {
    throw Error(error, url() + "/" + key + ": injected fault");
}

void FaultyStorage::failAfter(const Struck& struck, const Key& key) const {
    if (struck.has(Effect::FailAfter)) fail(struck.error, key);
}

void FaultyStorage::damage(const Struck& struck, std::span<std::uint8_t> bytes) {
    if (bytes.empty()) return;
    if (struck.has(Effect::Short))
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), 0);
    if (struck.has(Effect::Flip)) {
        const MutexLock lock(mutex_);
        bytes[random_() % bytes.size()] ^= static_cast<std::uint8_t>(1U << (random_() % 8));
    }
}

std::uint64_t FaultyStorage::struck() const {
    const MutexLock lock(mutex_);
    std::uint64_t total = 0;
    for (const RuleState& state : rules_)
        total += state.struck;
    return total;
}

std::unique_ptr<ObjectWriter> FaultyStorage::create(const Key& key) {
    strike(Operation::Create, key);
    return std::make_unique<FaultyWriter>(*this, key, inner_.create(key));
}

Bytes FaultyStorage::get(const Key& key, std::uint64_t offset, std::uint64_t size) {
    const auto struck = strike(Operation::Get, key);
    Bytes bytes = inner_.get(key, offset, size);
    damage(struck, bytes);
    return bytes;
}

std::optional<ObjectInfo> FaultyStorage::stat(const Key& key) {
    strike(Operation::Stat, key);
    return inner_.stat(key);
}

std::vector<ObjectInfo> FaultyStorage::list(const Key& prefix) {
    const auto struck = strike(Operation::List, prefix);
    std::vector<ObjectInfo> listed = inner_.list(prefix);
    if (struck.has(Effect::Disorder)) {
        const MutexLock lock(mutex_);
        std::shuffle(listed.begin(), listed.end(), random_);
    }
    return listed;
}

void FaultyStorage::remove(const Key& key) {
    const auto struck = strike(Operation::Remove, key);
    inner_.remove(key);
    failAfter(struck, key);
}

std::size_t FaultyStorage::removeUnfinished(const Key& prefix) {
    const auto struck = strike(Operation::RemoveUnfinished, prefix);
    const std::size_t removed = inner_.removeUnfinished(prefix);
    failAfter(struck, prefix);
    return removed;
}

}  // namespace tidemark::storage
