#include "backup_set/backup_set.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

#include "backup_set/backup_set_document.h"
#include "backup_set/key_bag.h"
#include "base/crash_point.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/require_going.h"
#include "block/index_rebuild.h"
#include "block/scratch_object.h"
#include "storage/loss.h"

namespace tidemark::backup_set {
namespace {

/// Where the objects are that say which sets begin and are whole.
constexpr const char* kPlaces = "backup_sets/";
constexpr std::string_view kPlaceHolders = "backup_sets/backup_set_";
constexpr std::string_view kSuffix = ".obbak";

std::string nameOf(const SetId& id) {
    return "backup_set_" + std::to_string(id.number) + (id.kind == SetKind::Full ? "_full" : "_inc");
}

storage::Key startKey(const SetId& id) {
    return "backup_sets/" + nameOf(id) + "_start.obbak";
}
storage::Key endPrefix(const SetId& id) {
    return "backup_sets/" + nameOf(id) + "_end_success_";
}
/// Begins the name of the object that shows in a listing when the set was made.
storage::Key timesPrefix(const SetId& id) {
    return setDirectory(id) + nameOf(id) + "_";
}

/// Nothing, if the object is there.
void putOnce(storage::Storage& storage, const storage::Key& key, ByteView bytes) {
    if (!storage.stat(key)) storage.put(key, bytes);
}

[[noreturn]] void failUnusable(storage::Storage& storage, const storage::Key& key, const std::string& what) {
    throw Error(ErrorCode::Corrupt, "the backup set is not usable: " + storage.url() + "/" + key + " " + what,
                "the storage did not keep what it had accepted; check it, and back up again");
}

/// The same for an empty object, which has to be there then.
void putPlaceHolder(storage::Storage& storage, const storage::Key& key) {
    putOnce(storage, key, {});
    if (!storage.stat(key)) failUnusable(storage, key, "is missing");
}

struct PlaceHolder {
    SetId id;
    bool end = false;  ///< else start
};

/// nullopt for a name that is none of ours.
std::optional<PlaceHolder> parsePlaceHolder(std::string_view key) {
    if (!key.starts_with(kPlaceHolders) || !key.ends_with(kSuffix)) return std::nullopt;
    key.remove_prefix(kPlaceHolders.size());
    PlaceHolder found;
    const auto [rest, problem] = std::from_chars(key.data(), key.data() + key.size(), found.id.number);
    // Not with a zero before it: that would be a second name of the same set.
    if (problem != std::errc() || key.front() == '0') return std::nullopt;
    key.remove_prefix(static_cast<std::size_t>(rest - key.data()));
    if (key.starts_with("_full_")) {
        key.remove_prefix(6);
    } else if (key.starts_with("_inc_")) {
        found.id.kind = SetKind::Incremental;
        key.remove_prefix(5);
    } else {
        return std::nullopt;
    }
    found.end = key.starts_with("end_success_");
    if (!found.end && key != "start.obbak") return std::nullopt;
    return found;
}

}  // namespace

storage::Key setDirectory(const SetId& id) {
    return nameOf(id) + "/";
}

storage::Key descriptionKey(const SetId& id) {
    return setDirectory(id) + "single_backup_set_info.obbak";
}

storage::Key turnsDirectory(const SetId& id) {
    return setDirectory(id) + "logstream_1001/";
}

storage::Key layerDirectory(const block::IndexLayer& layer) {
    return blockDirectory(setOf(layer), layer.id.turn);
}

storage::Key blockDirectory(const SetId& id, std::uint32_t turn) {
    return turnsDirectory(id) + "major_data_turn_" + std::to_string(turn) + "_retry_0/";
}

storage::Key logDirectory(const SetId& id) {
    return setDirectory(id) + "complement_log/";
}

LogObject logObjectAt(storage::Storage& storage, const storage::Key& key) {
    constexpr std::uint64_t kAtOnce = 1 << 20;
    const auto info = storage.stat(key);
    if (!info) throw Error(ErrorCode::NotFound, storage.url() + "/" + key + " does not exist");
    RunningXxh3 sum;
    for (std::uint64_t at = 0; at < info->size; at += kAtOnce)
        sum.add(storage.get(key, at, std::min(kAtOnce, info->size - at)));
    return {key, info->size, sum.value()};
}

void beginBackupSet(storage::Storage& storage, const SetId& id) {
    for (const SetKind kind : {SetKind::Full, SetKind::Incremental}) {
        const SetId other{id.number, kind};
        if (storage.stat(startKey(other)) || storage.any(setDirectory(other)) || storage.any(endPrefix(other))) {
            throw Error(ErrorCode::AlreadyExists, storage.url() + " has a backup set " + std::to_string(id.number));
        }
    }
    storage.put(startKey(id), {});
}

void beginTurn(storage::Storage& storage, const SetId& id, std::uint32_t turn) {
    if (turn == 1) return beginBackupSet(storage, id);
    if (storage.any(blockDirectory(id, turn))) {
        throw Error(ErrorCode::AlreadyExists,
                    storage.url() + "/" + blockDirectory(id, turn) + " is another copy of the tenant");
    }
    putOnce(storage, startKey(id), {});
}

std::vector<block::EarlierObject> objectsOfEarlierTurns(storage::Storage& storage, const SetId& id,
                                                        std::uint32_t turn) {
    std::vector<block::EarlierObject> objects;
    for (std::uint32_t earlier = 1; earlier < turn; ++earlier) {
        const storage::Key directory = blockDirectory(id, earlier);
        for (const storage::ObjectInfo& object : storage.list(directory)) {
            const auto number = block::dataFileNumber(std::string_view(object.key).substr(directory.size()));
            const bool is_here = number && object.key == directory + block::dataFileName(*number);
            if (is_here) objects.push_back({directory, *number, object.size});
        }
    }
    std::sort(objects.begin(), objects.end(), [](const auto& one, const auto& other) {
        return std::tie(one.directory, one.number) < std::tie(other.directory, other.number);
    });
    return objects;
}

void finishBackupSet(storage::Storage& storage, const BackupSetDescription& description, const ChainKeyPtr& key,
                     const std::stop_token& stop) {
    const std::string begin = formatCompact(description.start_time);
    const std::string end = formatCompact(description.end_time);
    // verifyBackupSet() finds out whether a description that was there is this one.
    putOnce(storage, descriptionKey(description.id), encodeDescription(description, key));
    crashPoint("backup.described");
    putPlaceHolder(storage, startKey(description.id));
    putPlaceHolder(storage, timesPrefix(description.id) + begin + "_" + end + ".obbak");
    verifyBackupSet(storage, description, key, stop);
    putPlaceHolder(storage, endPrefix(description.id) + end + ".obbak");
    crashPoint("backup.set-visible");
}

std::optional<BackupSetDescription> finishDescribedSet(storage::Storage& storage, const SetId& id,
                                                       const ChainKeyPtr& key, const std::stop_token& stop) {
    if (!storage.stat(descriptionKey(id))) return std::nullopt;
    const BackupSetDescription description = readDescription(storage, id, key);
    finishBackupSet(storage, description, key, stop);
    return description;
}

std::vector<FoundBackupSet> listBackupSets(storage::Storage& storage) {
    std::map<std::uint32_t, FoundBackupSet> sets;
    for (const storage::ObjectInfo& object : storage.list(kPlaces)) {
        const auto place_holder = parsePlaceHolder(object.key);
        if (!place_holder) continue;
        FoundBackupSet& set = sets[place_holder->id.number];
        set.id = place_holder->id;
        if (place_holder->end) set.state = FoundBackupSet::State::Complete;
    }
    std::vector<FoundBackupSet> found;
    for (auto& [number, set] : sets) {
        if (set.state == FoundBackupSet::State::Complete) {
            try {
                set.description = readDescription(storage, set.id);
            } catch (const Error& error) {
                // One damaged set must not hide the others; a storage that does not answer must not look like damage.
                if (error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Denied) throw;
                set.state = FoundBackupSet::State::Damaged;
                set.problem = error.what() + (error.hint().empty() ? "" : "; " + error.hint());
            }
        }
        found.push_back(std::move(set));
    }
    return found;
}

std::vector<storage::Key> foreignPlaceHolders(storage::Storage& storage) {
    std::vector<storage::Key> foreign;
    for (const storage::ObjectInfo& object : storage.list(kPlaces)) {
        if (!parsePlaceHolder(object.key)) foreign.push_back(object.key);
    }
    return foreign;
}

BackupSetDescription readBackupSet(storage::Storage& storage, const SetId& id, const ChainKeyPtr& key) {
    if (!isComplete(storage, id)) {
        throw Error(ErrorCode::NotFound, storage.url() + " has no complete backup set " + nameOf(id));
    }
    return readDescription(storage, id, key);
}

BackupSetDescription readDescription(storage::Storage& storage, const SetId& id, const ChainKeyPtr& key) {
    BackupSetDescription description = decodeDescription(storage, descriptionKey(id), key);
    if (description.id == id) return description;
    throw Error(ErrorCode::Corrupt, storage.url() + "/" + descriptionKey(id) + " describes another backup set");
}

std::string wrongPagesText(const std::string& pages) {
    const bool one = pages.find(' ') == std::string::npos;
    return (one ? "page " : "pages ") + pages + " had a wrong checksum in the tenant itself when the backup was made";
}

std::vector<storage::Key> missingPlaceHolders(storage::Storage& storage, const SetId& id) {
    std::vector<storage::Key> missing;
    if (!storage.stat(startKey(id))) missing.push_back(startKey(id));
    for (const storage::Key& prefix : {endPrefix(id), timesPrefix(id)}) {
        if (!storage.any(prefix)) missing.push_back(prefix + "*" + std::string(kSuffix));
    }
    return missing;
}

void verifyObjects(storage::Storage& storage, const BackupSetDescription& wanted) {
    const auto require = [&](const storage::Key& key, std::uint64_t size) {
        const auto info = storage.stat(key);
        if (!info) failUnusable(storage, key, "is missing");
        if (info->size == size) return;
        failUnusable(storage, key,
                     "has " + std::to_string(info->size) + " bytes instead of " + std::to_string(size));
    };
    for (const block::StoredObject& object : wanted.objects)
        require(object.key, object.size);
    // Whoever copied it has read it back, which may take long.
    for (const LogObject& object : wanted.log_objects)
        require(object.key, object.size);
}

void verifyBackupSet(storage::Storage& storage, const BackupSetDescription& wanted, const ChainKeyPtr& chain,
                     const std::stop_token& stop) {
    verifyObjects(storage, wanted);
    const auto reader = openBlocks(storage, wanted, chain);
    reader->checkObjects();
    reader->index().checkHead();
    reader->index().eachMap([&](const block::FileMap&) { requireGoing(stop); });
    if (chain && readKeyBag(storage, wanted.id).chain != chainIdOf(*chain)) {
        failUnusable(storage, setDirectory(wanted.id), "has the keys of another set");
    }
    const storage::Key key = descriptionKey(wanted.id);
    BackupSetDescription same = wanted;
    same.encrypted = chain != nullptr;
    if (contentOf(decodeDescription(storage, key, chain)) != contentOf(same))
        failUnusable(storage, key, "has another content");
}

bool isComplete(storage::Storage& storage, const SetId& id) {
    return storage.any(endPrefix(id));
}

std::optional<SetId> findComplete(storage::Storage& storage, std::uint32_t number) {
    for (const SetKind kind : {SetKind::Full, SetKind::Incremental}) {
        const SetId id{number, kind};
        if (isComplete(storage, id)) return id;
    }
    return std::nullopt;
}

std::unique_ptr<block::BlockReader> openBlocks(storage::Storage& storage, const BackupSetDescription& description,
                                               const ChainKeyPtr& key) {
    const storage::Key directory = blockDirectory(description.id, description.turn);
    auto reader = std::make_unique<block::BlockReader>(storage, directory, description.id.number,
                                                       key, layerDirectory);
    if (reader->index().checksum() == description.index_checksum) return reader;
    throw Error(ErrorCode::Corrupt, storage.url() + "/" + directory + block::kRangeIndexName +
                                        " is whole, but not the index that this backup set was finished with");
}

std::unique_ptr<block::BlockReader> rebuildBlocks(storage::Storage& storage, const BackupSetDescription& description,
                                                  const ChainKeyPtr& key, const std::filesystem::path& scratch) {
    const storage::Key directory = blockDirectory(description.id, description.turn);
    const auto place = std::make_shared<block::ScratchObject>(scratch);
    block::rebuildIndex(storage, directory, key, layerDirectory, scratch, *place);
    auto reader = std::make_unique<block::BlockReader>(storage, directory, description.id.number, key, layerDirectory,
                                                       place);
    if (reader->index().checksum() == description.index_checksum) return reader;
    throw Error(ErrorCode::Corrupt, "its data objects tell of another index than the set was finished with");
}

std::unique_ptr<block::BlockReader> openOrRebuildBlocks(storage::Storage& storage,
                                                        const BackupSetDescription& description,
                                                        const ChainKeyPtr& key, const std::filesystem::path& scratch) {
    try {
        auto reader = openBlocks(storage, description, key);
        reader->index().eachMap([](const block::FileMap&) {});
        return reader;
    } catch (const Error& lost) {
        if (!storage::isLoss(lost)) throw;
        try {
            return rebuildBlocks(storage, description, key, scratch);
        } catch (const Error& error) {
            if (!storage::isLoss(error)) throw;
            throw Error(lost.code(), lost.what(), std::string("it cannot be made again either: ") + error.what());
        }
    }
}

SetId setOf(const block::IndexLayer& layer) {
    return {layer.id.set, kindOf(layer.incremental)};
}

std::vector<SetId> setsThatHold(const block::SetIndex& index, const SetId& id) {
    std::map<std::uint32_t, SetId> sets{{id.number, id}};
    for (const block::IndexLayer& layer : index.layers()) {
        if (!layer.objects.empty()) sets.try_emplace(layer.id.set, setOf(layer));
    }
    std::vector<SetId> found;
    for (const auto& [number, set] : sets)
        found.push_back(set);
    return found;
}

std::vector<storage::ObjectInfo> objectsToRemove(storage::Storage& storage, std::uint32_t number) {
    std::vector<storage::ObjectInfo> objects;
    std::vector<storage::ObjectInfo> starts;
    for (const storage::ObjectInfo& object : storage.list(kPlaces)) {
        const auto place_holder = parsePlaceHolder(object.key);
        if (place_holder && place_holder->id.number == number) (place_holder->end ? objects : starts).push_back(object);
    }
    for (const SetKind kind : {SetKind::Full, SetKind::Incremental}) {
        const SetId id{number, kind};
        storage.removeUnfinished(setDirectory(id));
        auto found = storage.list(setDirectory(id));
        std::stable_partition(found.begin(), found.end(),
                              [&](const auto& object) { return object.key == descriptionKey(id); });
        objects.insert(objects.end(), found.begin(), found.end());
    }
    objects.insert(objects.end(), starts.begin(), starts.end());
    return objects;
}

void removeUnfinishedSet(storage::Storage& storage, std::uint32_t number) {
    if (const auto id = findComplete(storage, number)) {
        throw Error(ErrorCode::Conflict, "backup set " + nameOf(*id) + " at " + storage.url() + " is complete");
    }
    storage.removeUnfinished(kPlaces);
    for (const storage::ObjectInfo& object : objectsToRemove(storage, number)) {
        if (object.key.starts_with(kPlaces)) crashPoint("backup.cleaning");
        storage.remove(object.key);
    }
}

void removeOtherTurns(storage::Storage& storage, const BackupSetDescription& description) {
    std::set<storage::Key> kept;
    for (const block::StoredObject& object : description.objects)
        kept.insert(object.key);
    // Also of the set's own documents: who died while writing one left it half written, and the next wrote another.
    storage.removeUnfinished(setDirectory(description.id));
    storage.removeUnfinished(kPlaces);
    for (const storage::ObjectInfo& object : storage.list(turnsDirectory(description.id))) {
        if (!kept.contains(object.key)) storage.remove(object.key);
    }
}

}  // namespace tidemark::backup_set
