#include "storage/faulty_storage.h"

#include <algorithm>
#include <thread>

namespace tidemark::storage {
namespace {

using Effect = FaultRule::Effect;
using Operation = FaultRule::Operation;

bool has(const std::vector<Effect>& effects, Effect effect) {
    return std::find(effects.begin(), effects.end(), effect) != effects.end();
}

}  // namespace

class FaultyWriter : public ObjectWriter {
public:
    FaultyWriter(FaultyStorage& storage, Key key, std::unique_ptr<ObjectWriter> inner)
        : storage_(storage), key_(std::move(key)), inner_(std::move(inner)) {}

    void append(ByteView bytes) override {
        const auto effects = storage_.strike(Operation::Append, key_);
        if (has(effects, Effect::Short)) return inner_->append(bytes.first(bytes.size() / 2));
        if (effects.empty()) return inner_->append(bytes);
        Bytes damaged(bytes.begin(), bytes.end());
        storage_.damage(effects, damaged);
        inner_->append(damaged);
    }
    void finish() override {
        if (has(storage_.strike(Operation::Finish, key_), Effect::Lose)) return inner_.reset();
        inner_->finish();
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

std::vector<Effect> FaultyStorage::strike(Operation operation, const Key& key) {
    std::vector<Effect> effects;
    std::chrono::milliseconds delay{0};
    {
        const MutexLock lock(mutex_);
        for (RuleState& state : rules_) {
            const FaultRule& rule = state.rule;
            if (rule.on != operation || key.find(rule.key_part) == Key::npos) continue;
            if (state.seen++ < rule.after || state.struck >= rule.times) continue;
            if (std::uniform_real_distribution<>()(random_) >= rule.probability) continue;
            ++state.struck;
            if (rule.effect == Effect::Fail) throw Error(rule.error, url() + "/" + key + ": injected fault");
            if (rule.effect == Effect::Delay)
                delay += rule.delay;
            else
                effects.push_back(rule.effect);
        }
    }
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    return effects;
}

void FaultyStorage::damage(const std::vector<Effect>& effects, std::span<std::uint8_t> bytes) {
    if (bytes.empty()) return;
    if (has(effects, Effect::Short))
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), 0);
    if (has(effects, Effect::Flip)) {
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
    const auto effects = strike(Operation::Get, key);
    Bytes bytes = inner_.get(key, offset, size);
    damage(effects, bytes);
    return bytes;
}

std::optional<ObjectInfo> FaultyStorage::stat(const Key& key) {
    strike(Operation::Stat, key);
    return inner_.stat(key);
}

std::vector<ObjectInfo> FaultyStorage::list(const Key& prefix) {
    strike(Operation::List, prefix);
    return inner_.list(prefix);
}

void FaultyStorage::remove(const Key& key) {
    strike(Operation::Remove, key);
    inner_.remove(key);
}

}  // namespace tidemark::storage
