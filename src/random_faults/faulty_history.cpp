#include "random_faults/faulty_history.h"

#include <fmt/format.h>

#include <fstream>

#include "backup_set/backup_set.h"
#include "base/error.h"
#include "base/random.h"
#include "block/read_files.h"
#include "clean/cleaner.h"
#include "clean/retention.h"
#include "random_faults/recorded_source.h"
#include "restore/data_restore.h"
#include "storage/destination.h"
#include "validate/set_check.h"

namespace tidemark::random_faults {
namespace {

using catalog::BackupType;
using catalog::FileStatus;

constexpr const char* kMarker = "format.obbak";

PasswordKey anyPassword() {
    return {.id = "0123456789abcdef", .salt = Bytes(PasswordKey::kSaltBytes, 7), .cost = {}, .key = Secret::random(32)};
}

}  // namespace

FaultyHistory::FaultyHistory(std::uint64_t seed, block::WorkerPool& pool, const NodeKey& node_key,
                             std::filesystem::path directory)
    : random_(seed),
      pool_(pool),
      node_key_(node_key),
      directory_(std::move(directory)),
      tenant_(seed),
      encrypted_(std::array{0.0, 0.0, 1.0, 0.3}[random_() % 4]) {
    disk_.put(kMarker, viewOf("x"));
}

void FaultyHistory::run() {
    for (std::uint64_t left = 3 + random_() % 6; left > 0; --left) {
        if (random_() % 4 != 0) tenant_.change();
        doSomething();
        check(false);
    }
    settle();
}

void FaultyHistory::inALife(DaemonLife& life, const std::function<void(DaemonLife&)>& work) {
    try {
        work(life);
    } catch (const Error&) {
        ++count_.failed;
    } catch (const ProcessDied&) {
        ++count_.died;
    }
    count_.faults += life.struck();
}

void FaultyHistory::doSomething() {
    DaemonLife life(disk_, random_() % 4 == 0 ? DaemonLife::Faults::Passing : DaemonLife::Faults::All, random_);
    switch (random_() % 11) {
        case 0:
            return inALife(life, [&](DaemonLife& in) { validate(in, false); });
        case 1:
        case 2:
            return inALife(life, [&](DaemonLife& in) { deleteSets(in, any(goodSets())); });
        case 3:
        case 4:
            return inALife(life, [&](DaemonLife& in) { clean(in); });
        default:
            if (!catalog_.backup) startBackup(random_() % 4 == 0 ? BackupType::Full : BackupType::Inc);
            if (life.faults() == DaemonLife::Faults::All && random_() % 12 == 0) life.cancel();
            inALife(life, [&](DaemonLife& in) { backUp(in); });
    }
}

void FaultyHistory::startBackup(BackupType type) {
    backup::BackupProgress progress;
    if (std::bernoulli_distribution(encrypted_)(random_))
        progress.encryption = backup::SetEncryption(anyPassword(), node_key_);
    catalog_.backup = {.type = type, .progress = progress.encryption.on() ? progress.text() : ""};
}

void FaultyHistory::backUp(DaemonLife& life) {
    const AttemptParts parts{.catalog = catalog_,
                             .life = life,
                             .lane = lane_,
                             .node_key = node_key_,
                             .source = [&](const auto& set, std::uint32_t turn) { return takeSource(life, set, turn); },
                             .data_file_size = std::uint64_t{1} << (15 + random_() % 6)};
    const bool must_complete = life.faults() != DaemonLife::Faults::All && catalog_.backup->attempts == 0;
    switch (BackupAttempt(parts).run()) {
        case AttemptEnd::NotOver:
            return;
        case AttemptEnd::Failed:
            if (must_complete) throw BrokenPromise("a backup failed of errors that pass");
            ++count_.failed;
            return;
        case AttemptEnd::Completed:
            break;
    }
    ++count_.completed;
    if (catalog_.sets.back().type == BackupType::Inc) ++count_.incremental;
}

std::unique_ptr<source::Source> FaultyHistory::takeSource(DaemonLife& life, const backup_set::SetId& set,
                                                          std::uint32_t turn) {
    if (random_() % 3 == 0) tenant_.change();
    copied_[{set.number, turn}] = tenant_.files();
    stream_ = tenant_.stream();
    RecordedSource::Faults faults;
    faults.calls_after = random_() % stream_.size();
    faults.call = [&life] { life.call(); };
    if (life.faults() == DaemonLife::Faults::All && random_() % 12 == 0) faults.ends_after = random_() % stream_.size();
    if (life.faults() == DaemonLife::Faults::All && random_() % 12 == 0) {
        faults.call = [this, &life] {
            ++count_.died_reading;
            life.die();
        };
    }
    return std::make_unique<RecordedSource>(stream_, faults);
}

/// As clean::DeleteJob: what is decided is asked again, and noted, before anything is removed.
void FaultyHistory::deleteSets(DaemonLife& life, const std::vector<std::int64_t>& asked) {
    const auto judge = [&](const std::vector<std::int64_t>& sets) {
        return clean::judgeSets({.sets = catalog_.sets}, sets, static_cast<Scn>(catalog_.now()));
    };
    for (const catalog::DeletedThing& thing : judge(asked).remove) {
        if (judge({thing.id}).remove.empty()) continue;
        life.call();
        catalog_.set(thing.id).file_status = FileStatus::Deleting;
        catalog_.rests.insert(thing.id);
        removeRest(life, thing.id);
    }
}

void FaultyHistory::removeRest(DaemonLife& life, std::int64_t set) {
    clean::Cleaner(life.storage(), {.path = {}, .thing = {catalog::DeletedObject::BackupSet, set}})
        .remove(life.stop(), [](const clean::Extent&) {});
    life.call();
    catalog_.set(set).file_status = FileStatus::Deleted;
    catalog_.rests.erase(set);
    ++count_.deleted;
}

void FaultyHistory::clean(DaemonLife& life) {
    const auto leftovers = catalog_.leftovers;
    for (const std::int64_t set : leftovers) {
        const auto before = catalog_.set(set).status;
        cleanLeftovers(catalog_, life, node_key_, set);
        if (before != catalog_.set(set).status) ++count_.adopted;
    }
    const auto rests = catalog_.rests;
    for (const std::int64_t set : rests)
        removeRest(life, set);
}

void FaultyHistory::validate(DaemonLife& life, bool must_be_sound) {
    for (const catalog::BackupSet& set : catalog_.sets) {
        if (!clean::isGood(set)) continue;
        validate::CheckProgress progress;
        const validate::Checking with{
            .storage = *life.storage(),
            .lane = lane_,
            .progress = progress,
            .scratch = {},
            .stop = life.stop(),
            .key_of = [&](const backup_set::SetId& id) { return keyOf(catalog_, node_key_, id.number); }};
        const auto findings =
            validate::SetCheck(with, backup::idOf(set), [](const std::string&) { return false; }).run();
        if (must_be_sound && !findings.empty()) {
            throw BrokenPromise(fmt::format("of set {} a validation says that {} {}", set.backup_set_id,
                                            findings.front().object, findings.front().what));
        }
    }
}

/// To a directory now and then, as a restore does; mostly in memory, which takes less time.
Files FaultyHistory::restored(const block::BlockReader& reader) {
    if (random_() % 50 != 0) {
        block::MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
        return block::readFiles(reader, memory);
    }
    restore::DataRestoreProgress progress;
    restore::restoreFiles(reader, lane_, {.directory = directory_}, progress, {});
    Files files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        files[entry.path().lexically_relative(directory_)] = {std::istreambuf_iterator<char>(file), {}};
    }
    std::filesystem::remove_all(directory_);
    return files;
}

void FaultyHistory::checkSet(const backup_set::BackupSetDescription& found) {
    const std::string name = fmt::format("set {} of turn {}", found.id.number, found.turn);
    const auto key = keyOf(catalog_, node_key_, found.id.number);
    try {
        const auto description = backup_set::readBackupSet(disk_, found.id, key);
        const auto reader = backup_set::openBlocks(disk_, description, key);
        reader->checkObjects();
        if (restored(*reader) != copied_.at({found.id.number, found.turn}))
            throw BrokenPromise(name + " restores to something else than was copied");
    } catch (const Error& error) {
        throw BrokenPromise(name + " can be seen and does not restore: " + error.what());
    }
}

void FaultyHistory::check(bool every_set) {
    using State = backup_set::FoundBackupSet::State;
    std::set<std::int64_t> seen;
    const auto sets = backup_set::listBackupSets(disk_);
    for (const backup_set::FoundBackupSet& found : sets) {
        if (found.state == State::Damaged) throw BrokenPromise("a set can be seen and is damaged: " + found.problem);
        if (found.state != State::Complete) continue;
        seen.insert(found.id.number);
        if (every_set || &found == &sets.back() || random_() % sets.size() == 0) checkSet(*found.description);
    }
    for (const catalog::BackupSet& set : catalog_.sets) {
        if (clean::isGood(set) && !seen.contains(set.backup_set_id))
            throw BrokenPromise(fmt::format("set {} was completed and cannot be seen", set.backup_set_id));
        if (set.file_status == FileStatus::Deleted && seen.contains(set.backup_set_id))
            throw BrokenPromise(fmt::format("set {} was deleted and can be seen", set.backup_set_id));
    }
}

void FaultyHistory::settle() {
    const auto inAQuietLife = [&](const std::function<void(DaemonLife&)>& work) {
        DaemonLife life(disk_);
        try {
            work(life);
        } catch (const Error& error) {
            throw BrokenPromise(std::string("without faults: ") + error.what());
        }
    };
    if (catalog_.backup) inAQuietLife([&](DaemonLife& life) { backUp(life); });
    inAQuietLife([&](DaemonLife& life) { clean(life); });
    for (const BackupType type : {BackupType::Full, BackupType::Inc, BackupType::Inc}) {
        tenant_.change();
        startBackup(type);
        inAQuietLife([&](DaemonLife& life) { backUp(life); });
    }
    check(true);
    inAQuietLife([&](DaemonLife& life) { validate(life, true); });
    checkThatNothingElseIsLeft();
    inAQuietLife([&](DaemonLife& life) { deleteSets(life, goodSets()); });
    if (goodSets().size() != 1) throw BrokenPromise("not all sets but the last full one could be deleted");
    check(true);
    checkThatNothingElseIsLeft();
}

void FaultyHistory::checkThatNothingElseIsLeft() {
    for (const storage::Key& key : disk_.unfinished())
        throw BrokenPromise(key + " is left unfinished");
    std::set<storage::Key> belongs{kMarker};
    for (const std::int64_t id : goodSets()) {
        const backup_set::SetId set = backup::idOf(catalog_.set(id));
        const auto description = backup_set::readDescription(disk_, set);
        for (const block::StoredObject& object : description.objects)
            belongs.insert(object.key);
        for (const storage::ObjectInfo& object : backup_set::objectsToRemove(disk_, set.number)) {
            if (!object.key.starts_with(backup_set::turnsDirectory(set))) belongs.insert(object.key);
        }
    }
    for (const storage::ObjectInfo& object : disk_.list("")) {
        if (!belongs.contains(object.key)) throw BrokenPromise(object.key + " is left and belongs to no set");
    }
}

std::vector<std::int64_t> FaultyHistory::goodSets() const {
    std::vector<std::int64_t> found;
    for (const catalog::BackupSet& set : catalog_.sets) {
        if (clean::isGood(set)) found.push_back(set.backup_set_id);
    }
    return found;
}

std::vector<std::int64_t> FaultyHistory::any(std::vector<std::int64_t> ids) {
    if (random_() % 2 == 0) return ids;
    std::erase_if(ids, [&](std::int64_t) { return random_() % 2 == 0; });
    return ids;
}

}  // namespace tidemark::random_faults
