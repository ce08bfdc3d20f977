#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/mutex.h"
#include "storage/storage.h"

namespace tidemark::storage {

/// When and how a FaultyStorage misbehaves.
struct FaultRule {
    enum class Operation { Create, Append, Finish, Get, Stat, List, Remove, RemoveUnfinished };
    enum class Effect {
        Fail,       ///< throws `error`
        FailAfter,  ///< does what it is asked for, and throws `error` all the same
        Torn,       ///< Append: stores half of the bytes and throws `error`
        Short,      ///< Append: stores half of the bytes and tells nobody; Get: the second half comes as zeros
        Flip,       ///< Append, Get: one bit is another
        Lose,       ///< Finish: reports success, and there is no object
        Disorder,   ///< List: in any order
        Delay,      ///< the call takes `delay` longer
        Call,       ///< calls `call` first, which may throw
    };

    Operation on = Operation::Append;
    Effect effect = Effect::Fail;
    std::string key_part;     ///< only objects whose key contains this; empty: all
    std::uint64_t after = 0;  ///< the first `after` matching calls pass
    std::uint64_t times = std::numeric_limits<std::uint64_t>::max();  ///< how often it strikes at most
    double probability = 1.0;                                         ///< of striking, once `after` is over
    ErrorCode error = ErrorCode::Unavailable;
    std::chrono::milliseconds delay{0};
    std::function<void()> call = {};
};

/// A storage around another that fails, loses, damages or delays by rule, the same way for the same seed (and the same
/// order of calls). For tests. Thread-safe.
class FaultyStorage : public Storage {
public:
    FaultyStorage(Storage& inner, std::vector<FaultRule> rules, std::uint64_t seed);

    std::unique_ptr<ObjectWriter> create(const Key& key) override;
    Bytes get(const Key& key, std::uint64_t offset, std::uint64_t size) override;
    std::optional<ObjectInfo> stat(const Key& key) override;
    std::vector<ObjectInfo> list(const Key& prefix) override;
    void remove(const Key& key) override;
    std::size_t removeUnfinished(const Key& prefix) override;
    Features features() const override { return inner_.features(); }
    std::string url() const override { return inner_.url(); }

    /// How often any rule has struck.
    std::uint64_t struck() const;

private:
    friend class FaultyWriter;
    struct RuleState {
        FaultRule rule;
        std::uint64_t seen = 0;
        std::uint64_t struck = 0;
    };

    /// What is left to who has been struck.
    struct Struck {
        std::vector<FaultRule::Effect> effects;
        ErrorCode error = ErrorCode::Unavailable;  ///< that they throw

        bool has(FaultRule::Effect effect) const;
    };

    /// Throws, waits or calls if a rule says so.
    Struck strike(FaultRule::Operation operation, const Key& key);
    /// After what was asked for is done.
    void failAfter(const Struck& struck, const Key& key) const;
    [[noreturn]] void fail(ErrorCode error, const Key& key) const;
    /// Damages bytes as the effects say.
    void damage(const Struck& struck, std::span<std::uint8_t> bytes);

    Storage& inner_;
    mutable Mutex mutex_;
    std::vector<RuleState> rules_;
    std::mt19937_64 random_;
};

}  // namespace tidemark::storage
