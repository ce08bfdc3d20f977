#include "validate/piece_check.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "archive/piece_writer.h"
#include "storage/document.h"

namespace tidemark::validate {

using catalog::FindingKind;
using catalog::Harm;

namespace {

constexpr unsigned kMostSegmentReaders = 16;

/// Of the one object whose name goes on with a time.
std::optional<storage::Key> onlyKey(storage::Storage& storage, const storage::Key& prefix) {
    const auto found = storage.list(prefix);
    return found.empty() ? std::nullopt : std::optional(found.front().key);
}

}  // namespace

PieceCheck::PieceCheck(const Checking& with, const PieceToCheck& piece)
    : with_(with), piece_(piece), until_(piece.end_scn) {}

std::vector<Finding> PieceCheck::run() {
    readStart();
    readEnd();
    joinBefore();
    readSegments();
    addMissing();
    addDamaged();
    joinSegments();
    joinEnd();
    return findings_.take();
}

archive::PieceRecord PieceCheck::readRecord(const storage::Key& key) {
    with_.counted(key);
    return archive::readPiece(with_.storage, key, piece_.key);
}

/// By its name readers find the piece; its content they read of an open one only.
void PieceCheck::readStart() {
    const storage::Key prefix = fmt::format("pieces/{}_start_", nameOf(piece_.key));
    const auto key = onlyKey(with_.storage, prefix);
    if (!key) {
        findings_.add({.kind = FindingKind::Missing,
                       .object = with_.uri(prefix + "*"),
                       .what = "it does not exist, so that readers of the archive do not see the piece",
                       .harm = Harm::Log,
                       .harm_from = piece_.start_scn,
                       .harm_to = piece_.end_scn});
        return;
    }
    try {
        start_ = readRecord(*key);
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(*key), piece_.frozen ? Harm::None : Harm::Archive);
    }
}

void PieceCheck::readEnd() {
    // What was frozen since the catalog was asked counts as frozen. A round's last piece may have none: the destination
    // was away when the round ended.
    if (with_.storage.stat(archive::pieceInfoKey(piece_.key))) {
        readFrozen();
    } else if (!piece_.last) {
        findings_.add({.kind = FindingKind::Missing,
                       .object = with_.uri(archive::pieceInfoKey(piece_.key)),
                       .what = "it does not exist, without which no log of this destination can be read",
                       .harm = Harm::Archive});
    }
    checkCheckpoints();
}

void PieceCheck::readFrozen() {
    const storage::Key key = archive::pieceInfoKey(piece_.key);
    try {
        end_ = readRecord(key);
        until_ = end_->state.checkpoint_scn;
        promised_ = end_->state.files;
        if (!start_) start_ = end_;
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(key), Harm::Archive);
    }
    checkOtherRecord(fmt::format("pieces/{}_end_", nameOf(piece_.key)), "piece end");
    checkOtherRecord(fmt::format("{0}/{0}_", nameOf(piece_.key)), "piece range");
    try {
        const storage::Key files = archive::pieceFilesKey(piece_.key);
        with_.counted(files);
        storage::openDocument({"log archive piece files", 1}, with_.storage, files);
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(archive::pieceFilesKey(piece_.key)), Harm::None);
    }
}

/// One that no restore reads: it repeats what the piece's info says.
void PieceCheck::checkOtherRecord(const storage::Key& prefix, const std::string& name) {
    const auto key = onlyKey(with_.storage, prefix);
    if (!key) {
        // It is written right after the info that decides; who freezes a piece at this moment has not come to it.
        if (piece_.frozen)
            findings_.add({.kind = FindingKind::Missing, .object = with_.uri(prefix + "*"), .what = "it does not exist"});
        return;
    }
    try {
        const archive::PieceRecord record = readRecord(*key);
        if (!end_ || (record.end == end_->end && record.state.files == end_->state.files)) return;
        findings_.add({.kind = FindingKind::Contradiction,
                       .object = with_.uri(*key),
                       .what = fmt::format("the {} says something else than the piece's info", name)});
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        findings_.add(error, with_.uri(*key), Harm::None);
    }
}

/// Checkpoints come before the list of segments: one written after that would promise more.
void PieceCheck::checkCheckpoints() {
    for (const auto& object : with_.storage.list(archive::checkpointPrefix(piece_.key))) {
        const auto scn = archive::parseCheckpoint(piece_.key, object.key);
        if (!scn) continue;
        with_.counted(object.key);
        try {
            promised_ = std::max(promised_, archive::readCheckpointFiles(with_.storage, object.key));
            if (!end_) until_ = std::max(until_, *scn);
        } catch (const Error& error) {
            // Replaced by a newer one since it was listed.
            if (error.code() == ErrorCode::NotFound) continue;
            if (!with_.isFinding(error)) throw;
            findings_.add(error, with_.uri(object.key), end_ ? Harm::None : Harm::Archive);
        }
    }
}

/// The piece begins where the one before it, or else the round, does.
void PieceCheck::joinBefore() {
    if (!start_) return;
    mysql::GtidPosition before = start_->start;
    Scn before_scn = start_->state.start_scn;
    std::string name;
    try {
        const archive::RoundStart round = archive::readRoundStart(with_.storage, piece_.key.roundKey());
        if (piece_.key.piece == round.base_piece_id) {
            name = nameOf(round.key);
            before = round.position;
            before_scn = round.scn;
        } else if (piece_.follows) {
            archive::PieceKey key = piece_.key;
            --key.piece;
            const auto record = archive::readPiece(with_.storage, archive::pieceInfoKey(key), key);
            name = nameOf(key);
            before = record.end;
            before_scn = record.state.end_scn;
        }
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        return;  // a finding of that piece, or of the round
    }
    if (before == start_->start && before_scn == start_->state.start_scn) return;
    findings_.add({.kind = FindingKind::Gap,
                   .object = with_.uri(nameOf(piece_.key)),
                   .what = fmt::format("it begins after {} at SCN {}, and {} leads to {} at SCN {}",
                                       start_->start.text(), start_->state.start_scn, name, before.text(), before_scn),
                   .harm = Harm::Log,
                   .harm_from = std::min(before_scn, start_->state.start_scn),
                   .harm_to = std::max(start_->state.start_scn, before_scn)});
}

void PieceCheck::readSegments() {
    there_ = archive::listSegments(with_.storage, piece_.key);
    std::atomic<std::size_t> next{0};
    Mutex failing;
    std::exception_ptr failure;
    const unsigned count = std::min({2 * with_.lane.workers(), kMostSegmentReaders,
                                     static_cast<unsigned>(std::min<std::size_t>(there_.size(), kMostSegmentReaders))});
    if (count == 0) return;
    block::MemoryShare memory(with_.lane.memory(), {.minimum = 2, .most = count}, with_.stop);
    const auto work = [&] {
        pthread_setname_np(pthread_self(), "validate-log");
        try {
            for (std::size_t i = next++; i < there_.size(); i = next++)
                checkOne(memory, there_[i]);
        } catch (...) {
            next = there_.size();
            const MutexLock lock(failing);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < count; ++i)
        threads.emplace_back(work);
    threads.clear();
    if (failure) std::rethrow_exception(failure);
}

void PieceCheck::checkOne(block::MemoryShare& memory, std::uint64_t id) {
    with_.requireGoing();
    try {
        CheckedSegment segment = checkSegment(with_, memory, piece_.key, id);
        const MutexLock lock(mutex_);
        whole_.emplace(id, std::move(segment));
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        ++with_.progress.objects;
        const MutexLock lock(mutex_);
        damaged_.emplace(id, error);
    }
}

/// Up to where the log before a segment is whole, and where it is again behind it.
Scn PieceCheck::endBefore(std::uint64_t id) const {
    const auto next = whole_.lower_bound(id);
    if (next != whole_.begin()) return std::prev(next)->second.to;
    return start_ ? start_->state.start_scn : piece_.start_scn;
}

Scn PieceCheck::beginBehind(std::uint64_t id) const {
    const auto next = whole_.upper_bound(id);
    return next == whole_.end() ? std::max(until_, endBefore(id)) : next->second.before_scn;
}

Finding PieceCheck::logFinding(FindingKind kind, const storage::Key& key, std::string what, std::uint64_t first,
                               std::uint64_t last) const {
    return {kind, with_.uri(key), std::move(what), Harm::Log, endBefore(first), beginBehind(last)};
}

/// Of segments that lie one after another and are not there, one finding.
void PieceCheck::addMissing() {
    const std::uint64_t last = std::max(promised_, there_.empty() ? 0 : there_.back());
    std::uint64_t expected = 1;
    const auto missing = [&](std::uint64_t end) {
        if (expected >= end) return;
        const std::string what = end - expected == 1
                                     ? "it does not exist"
                                     : fmt::format("it and the {} segments behind it do not exist", end - expected - 1);
        findings_.add(logFinding(FindingKind::Missing, archive::segmentKey(piece_.key, expected), what, expected,
                                 end - 1));
    };
    for (const std::uint64_t id : there_) {
        missing(id);
        expected = id + 1;
    }
    missing(last + 1);
    if (end_ && !there_.empty() && there_.back() > end_->state.files) {
        findings_.add({.kind = FindingKind::Contradiction,
                       .object = with_.uri(archive::pieceInfoKey(piece_.key)),
                       .what = fmt::format("it tells of {} segments, and there is a segment {}", end_->state.files,
                                           there_.back())});
    }
}

void PieceCheck::addDamaged() {
    for (const auto& [id, error] : damaged_) {
        const storage::Key key = archive::segmentKey(piece_.key, id);
        Findings one;
        one.add(error, with_.uri(key), Harm::Log);
        for (Finding& finding : one.take()) {
            // Of an open piece a restore reads the last segment to know where the log ends.
            const bool ends_open = !end_ && id == there_.back();
            const Finding place = logFinding(finding.kind, key, finding.what, id, id);
            finding.harm = ends_open ? Harm::Archive : Harm::Log;
            finding.harm_from = place.harm_from;
            finding.harm_to = place.harm_to;
            findings_.add(std::move(finding));
        }
    }
}

/// Neighbours that are whole have to fit each other.
void PieceCheck::joinSegments() {
    mysql::GtidPosition position = start_ ? start_->start : mysql::GtidPosition();
    std::uint64_t expected = start_ ? 1 : 0;
    Scn reached = start_ ? start_->state.start_scn : 0;
    for (const auto& [id, segment] : whole_) {
        const bool fits = segment.before == position && segment.before_scn >= reached && segment.from >= reached;
        if (id == expected && !fits) {
            findings_.add(
                {FindingKind::Gap, with_.uri(archive::segmentKey(piece_.key, id)),
                 fmt::format("it goes on after {} at SCN {}, and the log before it ends at {} at SCN {}",
                             segment.before.text(), segment.before_scn, position.text(), reached),
                 Harm::Log, reached, segment.from});
        }
        position = segment.after;
        reached = segment.to;
        expected = id + 1;
    }
}

/// And the last one the piece's end.
void PieceCheck::joinEnd() {
    if (!end_) return;
    const bool complete = whole_.size() == end_->state.files && damaged_.empty();
    if (!complete) return;
    const mysql::GtidPosition reached = whole_.empty() ? end_->start : whole_.rbegin()->second.after;
    const Scn last = whole_.empty() ? 0 : whole_.rbegin()->second.to;
    if (reached == end_->end && last == end_->state.max_scn) return;
    findings_.add({FindingKind::Gap, with_.uri(archive::pieceInfoKey(piece_.key)),
                   fmt::format("it ends at {} at SCN {}, and its segments lead to {} at SCN {}", end_->end.text(),
                               end_->state.max_scn, reached.text(), last),
                   Harm::Log, std::min(last, end_->state.max_scn), std::max(last, end_->state.max_scn)});
}

std::vector<Finding> checkRound(const Checking& with, const archive::RoundKey& round) {
    Findings findings;
    const auto check = [&](const storage::Key& key, Harm harm, const auto& read) {
        with.counted(key);
        try {
            read();
        } catch (const Error& error) {
            if (!with.isFinding(error)) throw;
            findings.add(error, with.uri(key), harm);
        }
    };
    const storage::Key start = archive::roundStartKey(round);
    // Readers do not see a round without its start; with one that is damaged they read nothing of the archive.
    const Harm start_harm = with.storage.stat(start) ? Harm::Archive : Harm::Round;
    check(start, start_harm, [&] { archive::readRoundStart(with.storage, round); });
    // One that is open has no end, nor one that ended while its destination was away.
    const storage::Key end = archive::roundEndKey(round);
    if (with.storage.stat(end)) check(end, Harm::Archive, [&] { archive::readRoundEnd(with.storage, round); });
    for (const auto& object : with.storage.list(archive::settingsPrefix(round))) {
        if (!archive::parseSettings(round, object.key)) continue;
        check(object.key, Harm::Round, [&] {
            storage::openDocument({"log archive settings", 1}, with.storage, object.key);
        });
    }
    return findings.take();
}

}  // namespace tidemark::validate
