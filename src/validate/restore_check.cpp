#include "validate/restore_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/crash_point.h"
#include "base/random.h"
#include "restore/trial_restore.h"
#include "storage/destination.h"
#include "storage/open_storage.h"
#include "validate/restored_tables.h"

namespace tidemark::validate {

using catalog::FindingKind;
using catalog::Harm;
using catalog::ValidateStage;

namespace {

/// Lines of the server's error log: where it has crashed, its first words are far from the end.
constexpr std::size_t kLastWords = 200;

backup_set::SetId idOf(const catalog::BackupSet& set) {
    return {static_cast<std::uint32_t>(set.backup_set_id), backup_set::kindOf(set.type == catalog::BackupType::Inc)};
}

}  // namespace

RestoreCheck::RestoreCheck(const RestoreCheckParts& parts, const catalog::BackupSet& set, const Checking& with)
    : parts_(parts), set_(set), id_(idOf(set)), with_(with), key_(with.key_of(id_)) {}

std::vector<Finding> RestoreCheck::run() {
    with_.progress.looked = catalog::Looked::Nothing;
    if (isLocked()) return findings_.take();
    findRound();
    readTenant();
    if (!choosePlan()) return findings_.take();
    restoreAndLook();
    if (failure_) cannotRestore(failure_->first, failure_->second);
    return findings_.take();
}

/// Encrypted, and its key not known here.
bool RestoreCheck::isLocked() {
    if (key_ || set_.encryption.mode == "NONE") return false;
    notCompared(setUri(), "its key is not known here, so it was not restored");
    return true;
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

/// The server is gone when it returns.
void RestoreCheck::restoreAndLook() {
    const tenant::ThrowawayServer server(parts_.servers, parts_.tenant);
    // Whatever waits for it ends with it.
    const std::stop_callback on_stop(with_.stop, [&server] {
        if (const auto process = server->process()) process->kill(SIGKILL);
    });
    restoreInto(*server);
}

void RestoreCheck::restoreInto(tenant::TenantServer& server) {
    while (server_id_ == 0 || std::ranges::count(plan_->serverIds(), server_id_) > 0)
        server_id_ = randomU32();
    restore::TrialRestore trial(*plan_, server, [this, &server](const auto& carried) {
        tenant::TenantSettings settings = settingsOf(carried);
        settings.paths = server.paths();
        return settings;
    });
    bool looking = false;
    try {
        stage(ValidateStage::RestoreData);
        trial.restoreData(with_.storage, with_.lane, with_.progress.restored, with_.stop);
        stage(ValidateStage::RestoreLog);
        std::uint64_t counted = 0;
        const auto reached = trial.replay(with_.stop, [&](std::uint64_t bytes) {
            with_.progress.bytes += bytes - std::min(bytes, counted);
            counted = std::max(bytes, counted);
        });
        looking = true;
        look(reached, server);
    } catch (const Error& error) {
        with_.requireGoing();
        const auto step = looking ? std::nullopt : std::optional(trial.step());
        failure_.emplace(error, blameFor(error, step, server.logTail(kLastWords)));
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
    if (own_log_) why_not_ += fmt::format("; restored with the log that it carries, up to SCN {}", plan_->target);
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
    std::string directory = backup_set::setDirectory(id_);
    if (directory.ends_with('/')) directory.pop_back();
    return with_.uri(directory);
}

void RestoreCheck::notCompared(const std::string& object, const std::string& why) {
    findings_.add({.kind = FindingKind::NotCompared, .object = object, .what = "not compared with the tenant: " + why});
}

/// What may pass is thrown on, and what is the node's; else it is a finding. The server is gone by now.
void RestoreCheck::cannotRestore(const Error& error, Blame blame) {
    if (error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::NoSpace) throw error;
    const bool passing = error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Denied;
    if (passing && (!with_.unreadable_is_finding || isArchiveAway())) throw error;
    if (blame == Blame::Node || (passing && !nodeRunsServers())) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("set {} cannot be restored on this node, which says nothing of the set: {}",
                                set_.backup_set_id, error.what()),
                    error.hint().empty() ? "remove the cause, then validate again" : error.hint());
    }
    notRestorable(error, blame);
}

/// Its destination is waited for as that of the set is.
bool RestoreCheck::isArchiveAway() const {
    if (plan_) return plan_->archive && storage::isAway(*plan_->archive);
    return round_ && storage::isAway(*storage::openStorage(round_->path));
}

/// Whether one starts that holds nothing, with the settings of the one that did not go on.
bool RestoreCheck::nodeRunsServers() {
    const tenant::ThrowawayServer server(parts_.servers, parts_.tenant);
    const std::stop_callback on_stop(with_.stop, [&server] {
        if (const auto process = server->process()) process->kill(SIGKILL);
    });
    try {
        tenant::TenantSettings settings = settingsOf(plan_->settings);
        settings.paths = server->paths();
        server->removeFiles();
        parts_.tenants.createFiles(*server, settings.mode);
        server->configure(settings);
        server->start();
        return true;
    } catch (const Error&) {
        with_.requireGoing();
        return false;
    }
}

/// Of the log in the set it says that the set does not restore alone; of the log behind it, up to where it does.
void RestoreCheck::notRestorable(const Error& error, Blame blame) {
    Finding finding{.kind = FindingKind::NotRestorable,
                    .object = setUri(),
                    .what = fmt::format("restoring it fails: {}", error.what()),
                    .harm = Harm::Set};
    if (blame == Blame::Log && own_log_) {
        finding.object = plan_->archive_uri + "/";
        finding.harm = Harm::None;
    } else if (blame == Blame::Log) {
        finding.harm = Harm::Log;
        finding.harm_from = set_.min_restore_scn;
        finding.harm_to = plan_->target;
    }
    findings_.add(finding);
}

}  // namespace tidemark::validate
