#include <fmt/format.h>

#include <algorithm>

#include "archive/archive_reader.h"
#include "base/stop_sleep.h"
#include "restore/set_log.h"
#include "storage/destination.h"
#include "storage/loss.h"
#include "storage/open_storage.h"
#include "validate/lost.h"
#include "validate/restore_check.h"
#include "validate/validate_plan.h"

// What of a set's log can be replayed, and whether its tables can be compared with the tenant then.

namespace tidemark::validate {

using catalog::FindingKind;

namespace {

/// The archiver has written what it was asked to; behind that only a destination that is slow, or away.
constexpr std::chrono::seconds kArchiveLimit{30};
archive::RoundKey keyOf(const catalog::ArchiveRound& round) {
    return {static_cast<std::uint64_t>(round.dest_id), static_cast<std::uint64_t>(round.round_id)};
}

}  // namespace

void RestoreCheck::findRound() {
    const auto rounds = parts_.stores.archive.rounds(parts_.tenant);
    if (const catalog::ArchiveRound* round = roundBehind(rounds, set_)) round_ = *round;
    const bool goes_on =
        round_ && round_->round_id == rounds.back().round_id && round_->status == catalog::RoundStatus::Doing;
    if (!goes_on) why_not_ = "the log behind the set does not go on to the present, in which the tenant is";
    if (hasWrongPages()) why_not_ = "pages of it have a wrong checksum (SOURCE_PAGE), so it is not read";
    if (parts_.stores.tenants.get(parts_.tenant).role != catalog::TenantRole::Primary)
        why_not_ = "the tenant is no primary";
}

/// Whether the newest set that was made of the tenant says so: to read such a page takes the table out of use.
bool RestoreCheck::hasWrongPages() {
    const auto sets = validatableSets(parts_.stores.backups, parts_.tenant);
    const auto known = parts_.stores.validations.openFindings(parts_.tenant);
    return std::ranges::any_of(known, [&](const catalog::FindingRow& finding) {
        return finding.kind == FindingKind::SourcePage && !sets.empty() &&
               finding.unit.backup_set_id == sets.back().backup_set_id;
    });
}

/// The SCN of the state in which the tenant was read, once the archive has it.
std::optional<Scn> RestoreCheck::presentScn() {
    if (!canCompare()) return std::nullopt;
    const auto log = storage::openStorage(round_->path);
    const auto deadline = std::chrono::steady_clock::now() + kArchiveLimit;
    parts_.write_archive(round_->path);
    try {
        do {
            const archive::ArchiveReader reader(*log, keyOf(*round_));
            const auto covered = reader.scnOf(keyOf(*round_), parts_.present->position);
            if (covered && covered->complete) return std::max(covered->scn, set_.min_restore_scn);
            sleepFor(with_.stop, std::chrono::milliseconds(200));
            with_.requireGoing();
        } while (std::chrono::steady_clock::now() < deadline);
        why_not_ = fmt::format("the archive has not reached {}, at which the tenant was read",
                               parts_.present->position.text());
    } catch (const Error& error) {
        // Findings of their own: not the set's.
        if (!storage::isLoss(error)) throw;
        storage::requireMounted(*log);
        why_not_ = fmt::format("the log archive cannot be read: {}", error.what());
    }
    return std::nullopt;
}

/// To the present; else to where the log ends, that of the archive or the set's own; else to the end of the set alone.
bool RestoreCheck::choosePlan() {
    try {
        if (const auto scn = presentScn()) {
            if (planWithArchive(*scn)) return true;
            why_not_ = "the log from the set to the present is not whole";
        }
        if (round_ && planWithArchive(std::max(round_->checkpoint_scn, set_.min_restore_scn))) return true;
        own_log_ = planWithOwnLog();
        if (own_log_) return true;
        plan_ = restore::planAgain(choiceTo(set_.min_restore_scn), key_);
        return true;
    } catch (const Error& error) {
        const bool stored = error.code() == ErrorCode::NotFound || error.code() == ErrorCode::Corrupt;
        cannotRestore(error, stored ? Blame::Set : Blame::Node);
    }
    return false;
}

/// Of the set alone.
restore::RestoreChoice RestoreCheck::choiceTo(Scn target) const {
    return {.uris = {set_.path},
            .target = target,
            .newest = false,
            .settings_until = 0,
            .data_uri = set_.path,
            .set = id_,
            .archive_uri = {},
            .round = {}};
}

bool RestoreCheck::planWithArchive(Scn target) {
    restore::RestoreChoice choice = choiceTo(target);
    choice.uris.push_back(round_->path);
    choice.archive_uri = round_->path;
    choice.round = keyOf(*round_);
    return plan(choice);
}

/// To the end of the log that the set carries, if it carries any.
bool RestoreCheck::planWithOwnLog() {
    if (set_.log_end_scn == 0) return false;
    const std::shared_ptr<storage::Storage> data = storage::openStorage(set_.path);
    restore::RestoreChoice choice = choiceTo(set_.log_end_scn);
    try {
        const auto described = backup_set::readBackupSet(*data, id_, key_);
        const auto rounds = restore::openSetLog(data, described, key_)->rounds();
        if (rounds.empty()) return false;
        choice.archive_uri = restore::setLogUri(set_.path, described);
        choice.round = rounds.front().start.key;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::NotFound && error.code() != ErrorCode::Corrupt) throw;
        return false;
    }
    return plan(choice);
}

/// False if its log does not lead there: one that is not whole is a finding of its own.
bool RestoreCheck::plan(const restore::RestoreChoice& choice) {
    try {
        plan_ = restore::planAgain(choice, key_);
        return true;
    } catch (const Error& error) {
        if (!storage::isLoss(error) && error.code() != ErrorCode::InvalidRequest) throw;
        if (!choice.archive_uri.empty() && choice.uris.back() == choice.archive_uri)
            storage::requireMounted(*storage::openStorage(choice.archive_uri));
        return false;
    }
}

}  // namespace tidemark::validate
