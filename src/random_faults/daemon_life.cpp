#include "random_faults/daemon_life.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tidemark::random_faults {

using storage::FaultRule;
using Effect = FaultRule::Effect;
using Operation = FaultRule::Operation;

constexpr std::array kOperations{Operation::Create, Operation::Append, Operation::Finish, Operation::Get,
                                 Operation::Stat,   Operation::List,   Operation::Remove, Operation::RemoveUnfinished};

class DiskWriter : public storage::ObjectWriter {
public:
    DiskWriter(Disk& disk, storage::Key key, std::unique_ptr<storage::ObjectWriter> inner)
        : disk_(disk), key_(std::move(key)), inner_(std::move(inner)) {}
    ~DiskWriter() override {
        if (finished_ || !disk_.process_is_dead) return;
        const MutexLock lock(disk_.mutex_);
        disk_.unfinished_.push_back(key_);
    }
    void append(ByteView bytes) override { inner_->append(bytes); }
    void finish() override {
        inner_->finish();
        finished_ = true;
    }

private:
    Disk& disk_;
    const storage::Key key_;
    const std::unique_ptr<storage::ObjectWriter> inner_;
    bool finished_ = false;
};

std::unique_ptr<storage::ObjectWriter> Disk::create(const storage::Key& key) {
    return std::make_unique<DiskWriter>(*this, key, MemoryStorage::create(key));
}

std::size_t Disk::removeUnfinished(const storage::Key& prefix) {
    const MutexLock lock(mutex_);
    return std::erase_if(unfinished_, [&](const storage::Key& key) { return key.starts_with(prefix); });
}

std::vector<storage::Key> Disk::unfinished() const {
    const MutexLock lock(mutex_);
    return unfinished_;
}

DaemonLife::DaemonLife(Disk& disk) : disk_(disk), faults_(Faults::None) {
    open({}, 1);
}

DaemonLife::DaemonLife(Disk& disk, Faults faults, std::mt19937_64& random) : disk_(disk), faults_(faults) {
    if (faults != Faults::All) {
        open(faults == Faults::None ? Rules() : passingFaults(random), random());
        return;
    }
    const auto number = [&](std::int64_t most) { return static_cast<std::int64_t>(random() % most); };
    // Most that is done takes 30 to 300 calls.
    if (number(3) == 0) calls_until_death_ = number(std::array{20, 60, 300}[random() % 3]);
    if (number(6) == 0) calls_until_cancel_ = number(200);
    hangs_ = number(2) == 0;
    open(number(4) == 0 ? Rules() : anyFaults(random), random());
}

DaemonLife::~DaemonLife() {
    storage_.reset();
    disk_.process_is_dead = false;
}

/// As many as a backup copies again for, less one.
DaemonLife::Rules DaemonLife::passingFaults(std::mt19937_64& random) {
    Rules rules;
    for (int i = 0; i < 3; ++i) {
        constexpr std::array kParts{"", "", "macro_block", "macro_range_index", "backup_set_info", "_key", "_sets/"};
        constexpr std::array kOn{Operation::Create, Operation::Append, Operation::Finish, Operation::Finish,
                                 Operation::Get,    Operation::Stat,   Operation::List};
        const Operation on = kOn[random() % kOn.size()];
        const bool writes = on == Operation::Append || on == Operation::Finish;
        rules.push_back({.on = on,
                         .effect = writes && random() % 2 == 0 ? Effect::FailAfter : Effect::Fail,
                         .key_part = kParts[random() % kParts.size()],
                         .times = 1,
                         .probability = std::array{0.02, 0.2, 1.0}[random() % 3]});
    }
    return rules;
}

/// Some of all kinds there are, rare or often.
DaemonLife::Rules DaemonLife::anyFaults(std::mt19937_64& random) {
    Rules rules;
    const double often = std::array{0.003, 0.01, 0.04}[random() % 3];
    const auto add = [&](Operation on, Effect effect, const char* part = "") {
        if (random() % 4 != 0) return;
        constexpr std::array kErrors{ErrorCode::Unavailable, ErrorCode::Unavailable, ErrorCode::Unavailable,
                                     ErrorCode::NoSpace, ErrorCode::Denied};
        rules.push_back(
            {.on = on,
             .effect = effect,
             .key_part = part,
             .times = 1 + random() % 4,
             .probability = effect == Effect::Disorder || on == Operation::Remove || *part != '\0' ? 0.2 : often,
             .error = kErrors[random() % kErrors.size()]});
    };
    for (const auto on : kOperations)
        add(on, Effect::Fail);
    for (const auto on : {Operation::Append, Operation::Finish, Operation::Remove, Operation::RemoveUnfinished})
        add(on, Effect::FailAfter);
    // The last objects of a set are few, and what becomes of them decides.
    for (const char* part : {"macro_range_index", "single_backup_set_info", "backup_sets/"}) {
        add(Operation::Finish, Effect::Fail, part);
        add(Operation::Finish, Effect::FailAfter, part);
        add(Operation::Finish, Effect::Lose, part);
    }
    add(Operation::Append, Effect::Torn);
    add(Operation::Append, Effect::Short);
    add(Operation::Finish, Effect::Lose);
    add(Operation::List, Effect::Disorder);
    add(Operation::Get, Effect::Flip);
    add(Operation::Get, Effect::Short);
    // What is wrong in a data object from its beginning is found by who reads it all: a validation, a restore.
    for (const char* part : {"macro_range_index", "single_backup_set_info", "backup_set_key"})
        add(Operation::Append, Effect::Flip, part);
    return rules;
}

void DaemonLife::open(Rules rules, std::uint64_t seed) {
    for (const auto on : kOperations)
        rules.insert(rules.begin(), {.on = on, .effect = Effect::Call, .call = [this] { ++storage_calls_, call(); }});
    storage_ = std::make_shared<storage::FaultyStorage>(disk_, std::move(rules), seed);
}

void DaemonLife::die() {
    disk_.process_is_dead = true;
    throw ProcessDied();
}

void DaemonLife::call() {
    if (calls_until_death_ >= 0 && calls_until_death_-- == 0) disk_.process_is_dead = true;
    if (disk_.process_is_dead) throw ProcessDied();
    if (calls_until_cancel_ < 0 || calls_until_cancel_-- != 0) return;
    cancel();
    if (hangs_) throw Error(ErrorCode::Unavailable, "a storage has hung until the work was told to stop");
}

}  // namespace tidemark::random_faults
