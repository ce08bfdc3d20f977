#include "validate/set_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup_set/key_bag.h"
#include "base/hash.h"

namespace tidemark::validate {

using catalog::FindingKind;
using catalog::Harm;

SetCheck::SetCheck(const Checking& with, const backup_set::SetId& id, IsDamaged is_damaged)
    : with_(with), id_(id), is_damaged_(std::move(is_damaged)), chain_(with.key_of(id)) {}

std::vector<Finding> SetCheck::run() {
    checkPlaceHolders();
    readDescription();
    checkKeyBag();
    openIndex();
    checkOwnObjects();
    noteDamagedFrames();
    checkOthers();
    checkAgreement();
    checkOwnLog();
    return findings_.take();
}

/// What is wrong with an object of another set is a fault of the chain.
FindingKind SetCheck::kindFor(const storage::Key& key, FindingKind kind) const {
    return key.starts_with(backup_set::setDirectory(id_)) ? kind : FindingKind::Chain;
}

void SetCheck::checkPlaceHolders() {
    const auto missing = backup_set::missingPlaceHolders(with_.storage, id_);
    for (const storage::Key& key : missing) {
        // Without the last one a restore does not see the set at all. The others are for people.
        const bool hidden = !backup_set::isComplete(with_.storage, id_) && key.find("_end_success_") != key.npos;
        findings_.add({.kind = FindingKind::Missing,
                       .object = with_.uri(key),
                       .what = hidden ? "it does not exist, so that the set does not count as complete"
                                      : "it does not exist",
                       .harm = hidden ? Harm::Set : Harm::None});
    }
    with_.progress.objects += 3 - static_cast<std::int64_t>(missing.size());
}

void SetCheck::readDescription() {
    const storage::Key key = backup_set::descriptionKey(id_);
    try {
        description_ = backup_set::readDescription(with_.storage, id_, chain_);
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(key), Harm::Set);
    }
    with_.counted(key);
    if (!description_) return;
    for (const auto& [file, pages] : description_->wrong_pages)
        findings_.add({.kind = FindingKind::SourcePage, .object = file, .what = backup_set::wrongPagesText(pages)});
}

/// Without it no password opens the set.
void SetCheck::checkKeyBag() {
    if (!description_ || !description_->encrypted) return;
    const storage::Key key = backup_set::keyBagKey(id_);
    try {
        const backup_set::KeyBag bag = backup_set::readKeyBag(with_.storage, id_);
        if (chain_ && bag.chain != backup_set::chainIdOf(*chain_))
            throw Error(ErrorCode::Corrupt, with_.uri(key) + " has the key of another set");
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(key), Harm::Set);
    }
    with_.counted(key);
}

/// Where the set's own turn lies. Without a description: the newest turn that has an index.
storage::Key SetCheck::ownDirectory() {
    if (description_) return backup_set::blockDirectory(id_, description_->turn);
    std::uint32_t turn = 1;
    for (std::uint32_t next = 1; with_.storage.any(backup_set::blockDirectory(id_, next)); ++next) {
        if (with_.storage.stat(backup_set::blockDirectory(id_, next) + block::kRangeIndexName)) turn = next;
    }
    return backup_set::blockDirectory(id_, turn);
}

void SetCheck::openIndex() {
    const storage::Key directory = ownDirectory();
    const storage::Key key = directory + block::kRangeIndexName;
    std::uint64_t size = 0;
    if (description_) {
        for (const block::StoredObject& object : description_->objects)
            size = object.key == key ? object.size : size;
    }
    locked_ = !chain_ && description_ && description_->encrypted;
    const auto info = with_.storage.stat(key);
    if (!info || (size != 0 && info->size != size)) {
        isThere(key, size, FindingKind::Missing, rebuildIndex() ? Harm::None : Harm::Set);
        return with_.counted(key);
    }
    if (isLocked(key)) return with_.counted(key);
    try {
        reader_ = std::make_unique<block::BlockReader>(with_.storage, directory, id_.number, chain_,
                                                       backup_set::layerDirectory);
        reader_->index().eachMap([&](const block::FileMap&) { with_.requireGoing(); });
        checkIndexHead(key);
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        reader_.reset();
        findings_.add(error, with_.uri(key), rebuildIndex() ? Harm::None : Harm::Set);
    }
    if (reader_) compareDescription();
    with_.counted(key);
}

/// As a restore does that finds the index lost: whether that has done.
bool SetCheck::rebuildIndex() {
    if (!description_ || description_->sealed) return false;
    try {
        reader_ = backup_set::rebuildBlocks(with_.storage, *description_, chain_, with_.scratch);
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
    }
    return reader_ != nullptr;
}

/// Whether the set is encrypted, and its key not known.
bool SetCheck::isLocked(const storage::Key& key) {
    const auto info = with_.storage.stat(key);
    if (chain_ || !info || info->size < block::kTrailerSize) return false;
    try {
        const Bytes end = with_.storage.get(key, info->size - block::kTrailerSize, block::kTrailerSize);
        const block::Trailer trailer = block::decodeTrailer(block::kIndexObject, end, info->size, with_.uri(key));
        locked_ = trailer.cipher != block::Cipher::None;
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        return false;  // it is found again when the index is opened
    }
    if (locked_) {
        findings_.add({.kind = FindingKind::NoKey,
                       .object = with_.uri(key),
                       .what = "the set is encrypted, and its key not known: what its objects hold was not checked, "
                               "only that they are there, with their beginnings and ends"});
    }
    return locked_;
}

/// Restores do not read it.
void SetCheck::checkIndexHead(const storage::Key& key) {
    try {
        reader_->index().checkHead();
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(key), Harm::None);
    }
}

void SetCheck::compareDescription() {
    if (!description_) return;
    const block::SetIndex& index = reader_->index();
    if (index.checksum() != description_->index_checksum) {
        findings_.add({.kind = FindingKind::Contradiction,
                       .object = index.name(),
                       .what = "it is whole, but not the index that this backup set was finished with",
                       .harm = Harm::Set});
    }
    std::map<storage::Key, std::uint64_t> described;
    for (const block::StoredObject& object : description_->objects)
        described.emplace(object.key, object.size);
    const block::IndexLayer& own = index.layers().front();
    for (const auto& object : own.objects) {
        const auto found = described.find(backup_set::layerDirectory(own) + block::dataFileName(object.number));
        if (found != described.end() && found->second == object.size) continue;
        findings_.add({.kind = FindingKind::Contradiction,
                       .object = with_.uri(backup_set::descriptionKey(id_)),
                       .what = fmt::format("it does not list data object {} as the index does", object.number),
                       .harm = Harm::None});
        return;
    }
}

/// The data objects that there have to be, and their sizes; 0: not known.
std::map<storage::Key, std::uint64_t> SetCheck::ownObjects() {
    std::map<storage::Key, std::uint64_t> objects;
    if (reader_) {
        for (const block::IndexLayer& layer : reader_->index().layers()) {
            if (layer.id.set != id_.number) continue;
            for (const auto& object : layer.objects)
                objects.emplace(backup_set::layerDirectory(layer) + block::dataFileName(object.number), object.size);
        }
    }
    if (description_) {
        for (const block::StoredObject& object : description_->objects) {
            if (block::dataFileNumber(object.key)) objects.emplace(object.key, object.size);
        }
    }
    if (objects.empty()) {
        for (const storage::ObjectInfo& object : with_.storage.list(ownDirectory())) {
            if (block::dataFileNumber(object.key)) objects.emplace(object.key, 0);
        }
    }
    return objects;
}

/// Whether it is there, with its size, if that is known.
bool SetCheck::isThere(const storage::Key& key, std::uint64_t size, FindingKind missing, Harm harm) {
    const auto info = with_.storage.stat(key);
    if (info && (size == 0 || info->size == size)) return true;
    if (!info) {
        findings_.add({missing, with_.uri(key), "it does not exist", harm});
    } else {
        findings_.add({kindFor(key, FindingKind::WrongSize), with_.uri(key),
                       fmt::format("it has {} bytes instead of {}", info->size, size), harm});
    }
    return false;
}

void SetCheck::checkOwnObjects() {
    FrameCheckers checkers(with_);
    for (const auto& [key, size] : ownObjects()) {
        with_.requireGoing();
        State& state = objects_[key];
        state = State::Gone;
        if (isThere(key, size, FindingKind::Missing)) {
            state = checkDataObject(key, checkers);
        } else {
            with_.counted(key);
        }
    }
    checkers.finish();
}

/// Throws Corrupt for an object of another set, or of another turn than lies there.
void SetCheck::requireOwn(const storage::Key& key, const block::LayerId& layer) const {
    bool own = layer.set == id_.number;
    if (reader_) {
        for (const block::IndexLayer& known : reader_->index().layers()) {
            if (key.starts_with(backup_set::layerDirectory(known))) own = known.id == layer;
        }
    }
    if (!own) throw Error(ErrorCode::Corrupt, with_.uri(key) + " is of another set, or another copy of this one");
}

/// Its head, its table and its end; its frames are given to the checkers.
SetCheck::State SetCheck::checkDataObject(const storage::Key& key, FrameCheckers& checkers) {
    if (locked_) return checkEnds(key);
    const std::uint32_t number = block::dataFileNumber(key).value();
    std::uint64_t in_frames = 0;
    State state = State::Whole;
    try {
        // Once for the table itself: of one that is damaged in its midst nothing is believed.
        const block::FrameTable table =
            block::readFrameTable(with_.storage, key, number, chain_, [](const block::FrameRecord&) {});
        requireOwn(key, table.layer);
        FrameCheckers::Batch batch{
            .tally = std::make_shared<FrameTally>(),
            .key = key,
            .layer = table.layer,
            .layer_key = std::make_shared<const block::LayerKey>(chain_, table.layer),
            .frames = {}};
        const FrameCheckers::Batch empty = batch;
        tallied_[key] = {batch.tally, table.frames};
        block::readFrameTable(with_.storage, key, number, chain_, [&](const block::FrameRecord& frame) {
            if (!batch.takes(frame)) checkers.check(std::exchange(batch, empty));
            batch.frames.push_back(frame);
            in_frames += frame.place.stored;
        });
        checkers.check(std::move(batch));
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        // A restore goes by the index, and does not read these parts.
        findings_.add(error, with_.uri(key), Harm::None);
        state = State::WithoutTable;
    }
    // The frames are counted as they are read.
    const auto info = with_.storage.stat(key);
    with_.progress.bytes += std::max(info ? info->size : 0, in_frames) - in_frames;
    ++with_.progress.objects;
    return state;
}

/// What can be read of an object without its key.
SetCheck::State SetCheck::checkEnds(const storage::Key& key) {
    with_.counted(key);
    try {
        const auto info = with_.storage.stat(key);
        if (!info || info->size < block::kHeadSize + block::kTrailerSize)
            throw Error(ErrorCode::Corrupt, "it is too short");
        const Bytes head = with_.storage.get(key, 0, block::kHeadSize);
        const Bytes end = with_.storage.get(key, info->size - block::kTrailerSize, block::kTrailerSize);
        block::decodeHead(block::kDataObject, head, block::dataFileNumber(key).value(), with_.uri(key));
        block::decodeTrailer(block::kDataObject, end, info->size, with_.uri(key));
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(key), Harm::None);
    }
    return State::WithoutTable;
}

void SetCheck::noteDamagedFrames() {
    for (const auto& [key, object] : tallied_) {
        const auto damage = object.tally->first();
        if (!damage) continue;
        findings_.add({FindingKind::Damaged, with_.uri(key),
                       fmt::format("{} of its {} frames are damaged, the first one at byte {}, which has pages of {} "
                                   "from page {} on: {}",
                                   object.tally->count(), object.frames, damage->offset, pathOf(key, damage->file),
                                   damage->page, damage->what),
                       Harm::Set});
    }
}

std::string SetCheck::pathOf(const storage::Key& key, block::FileNumber file) const {
    const auto table = block::readFrameTable(with_.storage, key, block::dataFileNumber(key).value(),
                                             chain_, [](const block::FrameRecord&) {});
    const auto found = std::ranges::find(table.names, file, &std::pair<block::FileNumber, std::string>::first);
    return found == table.names.end() ? "an unknown file" : found->second;
}

/// The sets that this one leans on.
void SetCheck::checkOthers() {
    if (!reader_) return;
    for (const block::IndexLayer& layer : reader_->index().layers()) {
        if (layer.id.set == id_.number || layer.objects.empty()) continue;
        const backup_set::SetId other = backup_set::setOf(layer);
        if (!backup_set::isComplete(with_.storage, other)) {
            findings_.add({FindingKind::Chain, with_.uri(backup_set::setDirectory(other)),
                           fmt::format("set {}, which set {} leans on, is not complete", other.number, id_.number),
                           Harm::None});
        }
        for (const auto& object : layer.objects)
            checkOther(backup_set::layerDirectory(layer) + block::dataFileName(object.number), object);
    }
}

void SetCheck::checkOther(const storage::Key& key, const block::IndexLayer::Object& object) {
    with_.requireGoing();
    State& state = objects_[key];
    state = State::Gone;
    if (isThere(key, object.size, FindingKind::Chain))
        state = is_damaged_(with_.uri(key)) ? State::WithoutTable : State::Whole;
}

/// The log that a set made PLUS ARCHIVELOG carries. It is a copy: what is lost of it the archive has, while it is there.
void SetCheck::checkOwnLog() {
    if (!description_) return;
    for (const backup_set::LogObject& object : description_->log_objects) {
        try {
            checkLogObject(object);
        } catch (const Error& error) {
            if (!with_.isFinding(error)) throw;
            findings_.add(error, with_.uri(object.key), Harm::None);
        }
    }
}

void SetCheck::checkLogObject(const backup_set::LogObject& object) {
    constexpr std::uint64_t kPart = 1 << 20;
    const auto info = with_.storage.stat(object.key);
    if (!info) throw Error(ErrorCode::NotFound, "it does not exist, so that the set does not restore alone");
    ++with_.progress.objects;
    RunningXxh3 sum;
    for (std::uint64_t at = 0; at < info->size; at += kPart) {
        with_.requireGoing();
        const Bytes part = with_.storage.get(object.key, at, std::min(kPart, info->size - at));
        sum.add(part);
        with_.progress.bytes += part.size();
    }
    if (info->size == object.size && sum.value() == object.checksum) return;
    throw Error(ErrorCode::Corrupt, info->size == object.size
                                        ? "it is not what the set's description says"
                                        : fmt::format("it has {} bytes instead of {}", info->size, object.size));
}

/// Whether index and tables say the same of every frame that the set needs.
void SetCheck::checkAgreement() {
    if (!reader_) return;
    try {
        block::ReadPlan all(reader_->index(), with_.scratch);
        PlanCursor plan(all);
        while (const block::WantedFrame* frame = plan.peek()) {
            const block::FramePlace place = frame->place;
            const block::IndexLayer& layer = reader_->index().layers()[place.layer];
            const storage::Key key = backup_set::layerDirectory(layer) + block::dataFileName(place.object);
            const State state = objects_[key];
            if (state == State::Whole) compareWithTable(plan, key);
            if (state == State::WithoutTable) checkWantedFrames(plan, all, key);
            while (plan.peekIn(place.layer, place.object) != nullptr)
                plan.pop();
        }
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add({FindingKind::Contradiction, reader_->index().name(), error.what(), Harm::Set});
    }
}

void SetCheck::compareWithTable(PlanCursor& plan, const storage::Key& key) {
    const block::FramePlace object = plan.peek()->place;
    std::string first;
    std::uint64_t count = 0;
    const auto differs = [&](std::uint64_t at, const std::string& what) {
        if (count++ == 0) first = fmt::format("{} at byte {}", what, at);
    };
    const auto skipTo = [&](std::uint64_t offset) {
        for (auto* wanted = plan.peekIn(object.layer, object.object); wanted && wanted->place.offset < offset;
             wanted = plan.peekIn(object.layer, object.object)) {
            differs(wanted->place.offset, "a frame that its table does not have");
            plan.pop();
        }
    };
    block::readFrameTable(with_.storage, key, object.object, chain_, [&](const block::FrameRecord& frame) {
        with_.requireGoing();
        skipTo(frame.place.offset);
        const block::WantedFrame* wanted = plan.peekIn(object.layer, object.object);
        if (wanted == nullptr || wanted->place.offset != frame.place.offset) return;
        if (const std::string what = contradiction(*wanted, frame); !what.empty()) differs(frame.place.offset, what);
        plan.pop();
    });
    skipTo(UINT64_MAX);
    if (count == 0) return;
    findings_.add({kindFor(key, FindingKind::Contradiction), with_.uri(key),
                   fmt::format("it and the index of set {} say different things of {} frames: {}", id_.number, count,
                               first),
                   Harm::Set});
}

/// As a restore reads them: by what the index says.
void SetCheck::checkWantedFrames(PlanCursor& plan, const block::ReadPlan& all, const storage::Key& key) {
    const block::FramePlace object = plan.peek()->place;
    block::MemoryShare memory(with_.lane.memory(), {}, with_.stop);
    std::uint64_t damaged = 0;
    std::string first;
    for (auto* wanted = plan.peekIn(object.layer, object.object); wanted != nullptr;
         wanted = plan.peekIn(object.layer, object.object)) {
        with_.requireGoing();
        try {
            const block::WantedFrames frames{*wanted};
            const block::Buffer buffer = memory.take(with_.stop);
            reader_->frames().read(frames, buffer);
            with_.lane.run([&](block::Codec& codec) { reader_->frames().decode(frames, buffer, codec, all.files()); });
        } catch (const Error& error) {
            if (!with_.isFinding(error)) throw;
            if (damaged++ == 0) first = error.what();
        }
        plan.pop();
    }
    if (damaged == 0) return;
    Findings named;
    named.add(Error(ErrorCode::Corrupt, fmt::format("{} frames that set {} needs are damaged: {}", damaged, id_.number,
                                                    first)),
              with_.uri(key), Harm::Set);
    for (Finding& finding : named.take()) {
        finding.kind = kindFor(key, FindingKind::Damaged);
        findings_.add(std::move(finding));
    }
}

}  // namespace tidemark::validate
