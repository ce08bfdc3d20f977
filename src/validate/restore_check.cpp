#include "validate/restore_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/crash_point.h"
#include "base/random.h"
#include "base/stop_sleep.h"
#include "restore/trial_restore.h"
#include "storage/open_storage.h"
#include "validate/lost.h"
#include "validate/restored_tables.h"
#include "validate/validate_plan.h"

namespace tidemark::validate {

using catalog::FindingKind;
using catalog::Harm;
using catalog::ValidateStage;

namespace {

/// The archiver has written what it was asked to; behind that only a destination that is slow, or away.
constexpr std::chrono::seconds kArchiveLimit{30};

backup_set::SetId idOf(const catalog::BackupSet& set) {
    return {static_cast<std::uint32_t>(set.backup_set_id), backup_set::kindOf(set.type == catalog::BackupType::Inc)};
}

archive::RoundKey keyOf(const catalog::ArchiveRound& round) {
    return {static_cast<std::uint64_t>(round.dest_id), static_cast<std::uint64_t>(round.round_id)};
}

}  // namespace

RestoreCheck::RestoreCheck(const RestoreCheckParts& parts, const catalog::BackupSet& set, const Checking& with)
    : parts_(parts), set_(set), with_(with), key_(with.key_of(idOf(set))) {}

std::vector<Finding> RestoreCheck::run() {
    with_.progress.looked = catalog::Looked::Nothing;
    if (isLocked()) return findings_.take();
    findRound();
    readTenant();
    if (!choosePlan()) return findings_.take();
    restoreAndLook();
    return findings_.take();
}

/// Encrypted, and its key not known here.
bool RestoreCheck::isLocked() {
    if (key_ || set_.encryption.mode == "NONE") return false;
    notCompared(setUri(), "its key is not known here, so it was not restored");
    return true;
}

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

/// Once for all sets of a job, before the first is restored: their logs all lead there.
void RestoreCheck::readTenant() {
    if (!canCompare() || parts_.present) return;
    stage(ValidateStage::TenantRows);
    try {
        parts_.present = snapshotTables(parts_.tenants.server(parts_.tenant)->endpoint(), with_.stop, tableProgress());
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Cancelled) throw;
        why_not_ = fmt::format("the tenant could not be read: {}", error.what());
    }
}

bool RestoreCheck::canCompare() const {
    return why_not_.empty();
}

/// The SCN of the state in which the tenant was read, once the archive has it.
std::optional<Scn> RestoreCheck::presentScn() {
    if (!canCompare()) return std::nullopt;
    const auto log = storage::openStorage(round_->path);
    const auto deadline = std::chrono::steady_clock::now() + kArchiveLimit;
    parts_.write_archive(round_->path);
    do {
        const archive::ArchiveReader reader(*log, keyOf(*round_));
        const auto covered = reader.scnOf(keyOf(*round_), parts_.present->position);
        if (covered && covered->complete) return std::max(covered->scn, set_.min_restore_scn);
        sleepFor(with_.stop, std::chrono::milliseconds(200));
        with_.requireGoing();
    } while (std::chrono::steady_clock::now() < deadline);
    why_not_ =
        fmt::format("the archive has not reached {}, at which the tenant was read", parts_.present->position.text());
    return std::nullopt;
}

/// To the present; else to where the log ends; else to the end of the set alone.
bool RestoreCheck::choosePlan() {
    try {
        if (const auto scn = presentScn()) {
            if (planTo(*scn, true)) return true;
            why_not_ = "the log from the set to the present is not whole";
        }
        if (round_ && planTo(std::max(round_->checkpoint_scn, set_.min_restore_scn), true)) return true;
        if (planTo(set_.min_restore_scn, false)) return true;
        throw Error(ErrorCode::NotFound, "it is not there to be restored");
    } catch (const Error& error) {
        cannotRestore(error, false);
    }
    return false;
}

/// False if nothing leads there.
bool RestoreCheck::planTo(Scn target, bool with_log) {
    restore::RestoreChoice choice{.uris = {set_.path},
                                  .target = target,
                                  .newest = false,
                                  .settings_until = 0,
                                  .data_uri = set_.path,
                                  .set = idOf(set_),
                                  .archive_uri = {},
                                  .round = {}};
    if (with_log) {
        choice.uris.push_back(round_->path);
        choice.archive_uri = round_->path;
        choice.round = keyOf(*round_);
    }
    try {
        plan_ = restore::planAgain(choice, key_);
        return true;
    } catch (const Error& error) {
        // A log that is not whole is a finding of its own.
        const bool nothing = error.code() == ErrorCode::NotFound || error.code() == ErrorCode::Corrupt ||
                             error.code() == ErrorCode::InvalidRequest;
        if (!nothing || !with_log) throw;
        return false;
    }
}

void RestoreCheck::restoreAndLook() {
    const tenant::ThrowawayServer server(parts_.servers, parts_.tenant);
    // Whatever waits for it ends with it.
    const std::stop_callback on_stop(with_.stop, [&server] {
        if (const auto process = server->process()) process->kill(SIGKILL);
    });
    while (server_id_ == 0 || std::ranges::count(plan_->serverIds(), server_id_) > 0)
        server_id_ = randomU32();
    restore::TrialRestore trial(*plan_, *server, [this, &server](const auto& carried) {
        tenant::TenantSettings settings = settingsOf(carried);
        settings.paths = server->paths();
        return settings;
    });
    bool in_log = false;
    try {
        stage(ValidateStage::RestoreData);
        trial.restoreData(with_.storage, with_.lane, with_.progress.restored, with_.stop);
        in_log = plan_->log.transactions > 0;
        stage(ValidateStage::RestoreLog);
        std::uint64_t counted = 0;
        const auto reached = trial.replay(with_.stop, [&](std::uint64_t bytes) {
            with_.progress.bytes += bytes - std::min(bytes, counted);
            counted = std::max(bytes, counted);
        });
        in_log = false;
        look(reached, *server);
    } catch (const Error& error) {
        with_.requireGoing();
        cannotRestore(error, in_log);
    }
}

void RestoreCheck::look(const mysql::GtidPosition& reached, tenant::TenantServer& server) {
    stage(ValidateStage::CheckTables);
    RestoredTables tables(server, with_.stop);
    const auto damaged = tables.check(tableProgress());
    for (const auto& [name, what] : damaged) {
        findings_.add({.kind = FindingKind::TableDamaged,
                       .object = text(name),
                       .what = "CHECK TABLE of the restored table: " + what});
    }
    with_.progress.looked = catalog::Looked::Tables;
    crashPoint("validate.tables-checked");
    if (!canCompare()) return notCompared(setUri(), why_not_);
    stage(ValidateStage::Compare);
    const auto listed = tables.list();
    std::map<TableName, TableState> wanted = parts_.present->tables;
    std::erase_if(wanted, [&](const auto& table) {
        return !table.second.checksum || damaged.contains(table.first) || !listed.contains(table.first);
    });
    compare(reached, damaged, listed, tables.read(wanted, tableProgress()));
}

void RestoreCheck::compare(const mysql::GtidPosition& reached, const std::map<TableName, std::string>& damaged,
                           const std::map<TableName, TableState>& listed,
                           const std::map<TableName, TableState>& restored) {
    for (const auto& [domain, gtid] : parts_.present->position.domains()) {
        const auto found = reached.domains().find(domain);
        if (found != reached.domains().end() && found->second == gtid) continue;
        return notCompared(setUri(), fmt::format("the tenant was read at {}, and the restored server is at {}",
                                                 parts_.present->position.text(), reached.text()));
    }
    const auto differs = [&](const TableName& name, const std::string& what) {
        findings_.add({.kind = FindingKind::RowsDiffer,
                       .object = text(name),
                       .what = fmt::format("restored to {}, where the tenant was read, {}", reached.text(), what)});
    };
    with_.progress.looked = catalog::Looked::All;
    for (const auto& [name, there] : parts_.present->tables) {
        if (damaged.contains(name)) continue;
        const auto here = restored.find(name);
        if (!there.checksum) {
            notCompared(text(name), there.problem);
        } else if (!listed.contains(name)) {
            differs(name, "it is missing");
        } else if (listed.at(name).definition != there.definition) {
            differs(name, "it has other columns");
        } else if (!here->second.checksum) {
            differs(name, "it cannot be read: " + here->second.problem);
        } else if (*here->second.checksum != *there.checksum) {
            differs(name, fmt::format("it has other rows: CHECKSUM TABLE is {}, in the tenant {}",
                                      *here->second.checksum, *there.checksum));
        }
    }
    for (const auto& [name, state] : listed) {
        if (!parts_.present->tables.contains(name)) differs(name, "it is there, and the tenant has no such table");
    }
}

tenant::TenantSettings RestoreCheck::settingsOf(const std::map<std::string, std::string>& carried) {
    tenant::TenantSettings settings = parts_.tenants.replaySettings(parts_.tenant, carried);
    settings.server_id = server_id_;
    settings.memory_bytes = std::min(settings.memory_bytes, kServerMemory);
    return settings;
}

void RestoreCheck::stage(ValidateStage stage) {
    with_.requireGoing();
    with_.progress.tables = 0;
    with_.progress.finished_tables = 0;
    with_.on_stage(stage);
}

TableProgress RestoreCheck::tableProgress() {
    return [this](std::int64_t done, std::int64_t all) {
        with_.progress.tables = all;
        with_.progress.finished_tables = done;
    };
}

std::string RestoreCheck::setUri() const {
    std::string directory = backup_set::setDirectory(idOf(set_));
    if (directory.ends_with('/')) directory.pop_back();
    return with_.uri(directory);
}

void RestoreCheck::notCompared(const std::string& object, const std::string& why) {
    findings_.add({.kind = FindingKind::NotCompared, .object = object, .what = "not compared with the tenant: " + why});
}

/// What passes, or is the node's, is thrown on.
void RestoreCheck::cannotRestore(const Error& error, bool by_log) {
    const bool passing = error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Denied;
    if (error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::NoSpace) throw error;
    if (passing && !with_.unreadable_is_finding) throw error;
    findings_.add({.kind = FindingKind::NotRestorable,
                   .object = setUri(),
                   .what = fmt::format("restoring it fails: {}", error.what()),
                   .harm = by_log ? Harm::Log : Harm::Set,
                   .harm_from = by_log ? set_.min_restore_scn : 0,
                   .harm_to = by_log ? plan_->target : 0});
}

}  // namespace tidemark::validate
