#include "restore/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "oceanbase/ob_error.h"
#include "restore/set_keys.h"
#include "restore/set_log.h"
#include "storage/loss.h"
#include "storage/open_storage.h"
#include "tenant/carried_settings.h"
#include "tenant/tenant_variables.h"

namespace tidemark::restore {
namespace {

struct DataSource {
    storage::Destination destination;
    std::vector<backup_set::FoundBackupSet> found;
};

/// A log archive, or the log that a set carries.
struct LogSource {
    storage::DestinationIdentity owner;
    std::shared_ptr<storage::Storage> storage;  ///< null: it lies with its set
    std::string uri;
    std::shared_ptr<archive::ArchiveReader> reader;
};

struct Sources {
    std::vector<DataSource> data;
    std::vector<LogSource> logs;
};

/// Calls `visit` with every complete set.
template <typename Visit>
void forEachSet(const Sources& sources, Visit visit) {
    for (const DataSource& data : sources.data) {
        for (const backup_set::FoundBackupSet& found : data.found) {
            if (found.description) visit(data, *found.description);
        }
    }
}

/// A set with all that its description tells.
struct OpenedSet {
    backup_set::BackupSetDescription set;
    backup_set::ChainKeyPtr key;
};

OpenedSet opened(const DataSource& data, const backup_set::BackupSetDescription& set, SetKeys& keys) {
    if (!set.sealed) return {set, nullptr};
    auto key = keys.keyOf(*data.destination.storage, set.id);
    return {backup_set::readBackupSet(*data.destination.storage, set.id, key), key};
}

Sources openSources(const std::vector<std::string>& uris) {
    Sources sources;
    for (const std::string& uri : uris) {
        storage::Destination destination = storage::readDestination(uri);
        if (destination.marker.kind == storage::DestinationKind::Data) {
            auto found = backup_set::listBackupSets(*destination.storage);
            sources.data.push_back({std::move(destination), std::move(found)});
        } else {
            auto reader = std::make_shared<archive::ArchiveReader>(*destination.storage);
            sources.logs.push_back({destination.marker.identity, destination.storage, destination.uri, reader});
        }
    }
    return sources;
}

/// Without UNTIL: the checkpoint of the newest round, also when the log has a gap before it: whoever asked for
/// everything must not silently get less. Without any log, the newest set.
Scn lastPoint(const Sources& sources) {
    Scn last = 0;
    for (const LogSource& log : sources.logs) {
        // An earlier round reaches further only if it was written while the clock was ahead.
        if (!log.reader->rounds().empty()) last = std::max(last, log.reader->rounds().back().checkpoint_scn);
    }
    if (last != 0) return last;
    forEachSet(sources, [&](const DataSource&, const auto& set) { last = std::max(last, set.min_restore_scn); });
    return last;
}

bool isForeign(const LogSource& log, const Sources& sources);

/// The tenant's time zone is the newest that its sets and its log know.
Scn scnAt(const std::string& time, const Sources& sources, SetKeys& keys) {
    std::optional<std::string> zone;
    Scn newest = 0;
    std::optional<std::pair<const DataSource*, const backup_set::BackupSetDescription*>> last;
    forEachSet(sources, [&](const DataSource& data, const backup_set::BackupSetDescription& set) {
        if (set.min_restore_scn < newest) return;
        newest = set.min_restore_scn;
        last = {&data, &set};
    });
    for (const LogSource& log : sources.logs) {
        if (log.reader->rounds().empty() || isForeign(log, sources)) continue;
        const auto settings = log.reader->settings(log.reader->rounds().back().start.key);
        if (settings.empty() || settings.back().from < newest) continue;
        newest = settings.back().from;
        zone = tenant::timeZoneOf(settings.back().settings);
    }
    // Opened only if it is needed, for its password may not have been given.
    if (!zone)
        zone = tenant::timeZoneOf(last ? opened(*last->first, *last->second, keys).set.tenant_settings
                                       : decltype(backup_set::BackupSetDescription::tenant_settings)());
    return static_cast<Scn>(parseTimestamp(time, *zone));
}

Scn targetOf(const RestoreTarget& wanted, const Sources& sources, SetKeys& keys) {
    if (wanted.until_time) return scnAt(*wanted.until_time, sources, keys);
    return wanted.until_scn ? *wanted.until_scn : lastPoint(sources);
}

bool sameTenant(const storage::DestinationIdentity& one, const storage::DestinationIdentity& other) {
    return one.cluster_id == other.cluster_id && one.tenant_id == other.tenant_id;
}

/// Whether this log leads from the end of the set to the target without a gap. Only the log of the round in which the
/// set was made does: what happened between two rounds is in neither, and numbers of transactions may have been given
/// twice.
bool leadsTo(const LogSource& log, const backup_set::BackupSetDescription& set, Scn target, archive::RoundKey& round) {
    const auto to = log.reader->positionAt(target);
    if (!to) return false;
    round = to->round;
    const archive::RoundInfo& info = log.reader->round(round);
    if (set.min_restore_scn < info.start.scn) return false;
    const auto from = log.reader->scnOf(round, mysql::GtidPosition::parse(set.gtid));
    if (!from || !from->complete) return false;
    return std::any_of(info.ranges.begin(), info.ranges.end(),
                       [&](const archive::LogRange& range) { return range.from <= from->scn && target <= range.to; });
}

/// Whether this log is of none of the tenants that the sets are of.
bool isForeign(const LogSource& log, const Sources& sources) {
    return !sources.data.empty() && std::ranges::none_of(sources.data, [&](const DataSource& data) {
        return sameTenant(data.destination.marker.identity, log.owner);
    });
}

std::string moment(Scn scn) {
    if (scn > static_cast<Scn>(std::numeric_limits<Nanos>::max())) return std::to_string(scn);
    return fmt::format("{} ({})", scn, formatTimestamp(static_cast<Nanos>(scn)));
}

/// An error's text is short, as clients cut it at 512 bytes: the newest round, and how many there are before it.
std::string describeLog(const std::vector<archive::RoundInfo>& rounds) {
    if (rounds.empty()) return {};
    const archive::RoundInfo& newest = rounds.back();
    std::string text;
    for (const auto& range : newest.ranges) {
        text += fmt::format("; log of round {} from {} to {}", newest.start.key.round, moment(range.from),
                            moment(range.to));
    }
    for (const auto& round : rounds) {
        for (const auto& gap : round.gaps)
            text += "; log missing: " + gap.first_missing;
    }
    if (rounds.size() > 1)
        text += fmt::format("; and {} earlier rounds from {} on", rounds.size() - 1, moment(rounds[0].start.scn));
    return text;
}

/// What there is, for whoever asked for something else.
std::string describe(const Sources& sources) {
    std::string text;
    std::size_t sets = 0;
    Scn first = kScnUnlimited;
    Scn last = 0;
    Scn last_with_log = 0;
    forEachSet(sources, [&](const DataSource&, const auto& set) {
        ++sets;
        first = std::min(first, set.min_restore_scn);
        last = std::max(last, set.min_restore_scn);
        last_with_log = std::max(last_with_log, set.log_end_scn);
    });
    if (sets == 1) text += "; a backup set from " + moment(first);
    if (sets > 1) text += fmt::format("; {} backup sets from {} to {}", sets, moment(first), moment(last));
    if (last_with_log > last) text += ", with log of its own to " + moment(last_with_log);
    for (const DataSource& data : sources.data) {
        for (const backup_set::FoundBackupSet& found : data.found) {
            if (found.state == backup_set::FoundBackupSet::State::Damaged) text += "; " + found.problem;
        }
    }
    for (const LogSource& log : sources.logs) {
        if (isForeign(log, sources)) {
            text += fmt::format("; {} is the log of tenant {}, not of the sets", log.uri, log.owner.tenant_name);
            continue;
        }
        text += describeLog(log.reader->rounds());
    }
    return text.empty() ? "; the destinations hold neither" : text;
}

RestorePlan fromSet(const DataSource& data, const OpenedSet& opened, Scn target) {
    const backup_set::BackupSetDescription& set = opened.set;
    RestorePlan plan;
    plan.key = opened.key;
    plan.data = data.destination.storage;
    plan.source = data.destination.marker;
    plan.data_uri = data.destination.uri;
    plan.set = set;
    plan.settings = set.tenant_settings;
    plan.target = target;
    return plan;
}

/// The set has the settings from the begin of the copy, the log those of its end.
void addSettings(RestorePlan& plan, const std::vector<archive::ArchiveReader::Settings>& known) {
    if (plan.settings_until == 0)
        plan.settings_until = plan.newest && !known.empty() ? std::max(known.back().from, plan.target) : plan.target;
    Scn last = 0;
    for (const archive::ArchiveReader::Settings& one : known) {
        if (one.from <= plan.set.min_restore_scn) {
            plan.settings = one.settings;
        } else if (one.from <= plan.settings_until) {
            plan.changes.push_back(one);
        }
        if (one.from <= plan.settings_until) last = one.from;
        // It never changes, and a set of an older version does not name it.
        if (const auto zone = one.settings.find(tenant::kSystemTimeZone); zone != one.settings.end())
            plan.settings.insert(*zone);
    }
    // What was changed just before the set was made, and behind the log's end.
    const bool set_is_newer = last < plan.set.start_scn;
    if (plan.newest && set_is_newer) plan.changes.push_back({plan.set.start_scn, 0, plan.set.tenant_settings});
}

void addLog(RestorePlan& plan, const LogSource& log, const archive::RoundKey& round) {
    plan.archive = log.storage;
    plan.reader = log.reader;
    plan.archive_uri = log.uri;
    plan.round = round;
    plan.log = log.reader->extent(round, mysql::GtidPosition::parse(plan.set.gtid), plan.target);
    addSettings(plan, log.reader->settings(round));
}

/// What is damaged or missing leads nowhere; another way may lead to the target. Throws any other error, which is being
/// handled.
std::string problemOf(const Error& error) {
    if (!storage::isLoss(error)) throw;
    return std::string("; ") + error.what();
}

/// The log that the set carries, if that leads to the target.
std::optional<LogSource> ownLog(const DataSource& data, const OpenedSet& opened, Scn target,
                                archive::RoundKey& round, std::string& problem) {
    const backup_set::BackupSetDescription& set = opened.set;
    if (!set.plus_archivelog || target > set.log_end_scn) return std::nullopt;
    try {
        LogSource log{.owner = data.destination.marker.identity,
                      .storage = nullptr,
                      .uri = setLogUri(data.destination.uri, set),
                      .reader = openSetLog(data.destination.storage, set, opened.key)};
        if (leadsTo(log, set, target, round)) return log;
    } catch (const Error& error) {
        problem = problemOf(error);
    }
    return std::nullopt;
}

using Candidate = std::pair<const DataSource*, const backup_set::BackupSetDescription*>;

/// The sets that the target may be reached from, the best one first. The newest before the target has the least log to
/// replay; of two at one point, the later has less redo log.
std::vector<Candidate> candidates(const Sources& sources, const RestoreTarget& wanted, Scn target) {
    std::vector<Candidate> found;
    forEachSet(sources, [&](const DataSource& data, const backup_set::BackupSetDescription& set) {
        if (set.min_restore_scn <= target) found.insert(found.begin(), {&data, &set});
    });
    std::stable_sort(found.begin(), found.end(), [](const Candidate& one, const Candidate& other) {
        return one.second->min_restore_scn > other.second->min_restore_scn;
    });
    std::stable_partition(found.begin(), found.end(), [&](const Candidate& one) {
        return !wanted.is_broken(one.first->destination, one.second->id);
    });
    return found;
}

}  // namespace

RestorePlan planRestore(const RestoreTarget& wanted) {
    const Sources sources = openSources(wanted.uris);
    SetKeys keys(wanted.passwords, wanted.tenant_keys);
    const Scn target = targetOf(wanted, sources, keys);
    std::string problem;
    for (const auto& [data, described] : candidates(sources, wanted, target)) {
        OpenedSet opened_set;
        try {
            opened_set = opened(*data, *described, keys);
        } catch (const Error& error) {
            problem = problemOf(error);
            continue;
        }
        const backup_set::BackupSetDescription& set = opened_set.set;
        const auto with = [&, data = data](const LogSource& log, const archive::RoundKey& round) {
            RestorePlan plan = fromSet(*data, opened_set, target);
            // The end of a set is not the end of its log, and whose settings come later is not asked for.
            plan.newest = log.storage && !wanted.until_scn && !wanted.until_time;
            addLog(plan, log, round);
            return plan;
        };
        archive::RoundKey round;
        for (const LogSource& log : sources.logs) {
            if (!sameTenant(data->destination.marker.identity, log.owner)) continue;
            if (leadsTo(log, set, target, round)) return with(log, round);
        }
        if (const auto own = ownLog(*data, opened_set, target, round, problem)) {
            try {
                return with(*own, round);
            } catch (const Error& error) {
                problem = problemOf(error);  // of a segment that is opened only to measure it
            }
        }
        if (set.min_restore_scn == target) return fromSet(*data, opened_set, target);
    }
    throw obError(
        Ob::EntryNotExist,
        "no backup set path or log piece can be used to restore to " + moment(target) + describe(sources) + problem,
        "choose a point that a set and the log behind it reach");
}

RestorePlan planAgain(const RestoreChoice& choice, const backup_set::ChainKeyPtr& key) {
    // Of the destinations that were named only these: another one may be away.
    std::vector<std::string> uris = choice.uris;
    std::erase_if(uris, [&](const std::string& uri) {
        const std::string plain = storage::plainUri(uri);
        return plain != choice.data_uri && plain != choice.archive_uri;
    });
    const Sources sources = openSources(uris);
    SetKeys keys(key);
    std::optional<RestorePlan> found;
    std::string problem;
    forEachSet(sources, [&](const DataSource& data, const backup_set::BackupSetDescription& described) {
        if (found || data.destination.uri != choice.data_uri || described.id != choice.set) return;
        const OpenedSet opened_set = opened(data, described, keys);
        const backup_set::BackupSetDescription& set = opened_set.set;
        if (choice.archive_uri.empty()) {
            found = fromSet(data, opened_set, choice.target);
            return;
        }
        const auto take = [&](const LogSource& log, const archive::RoundKey& round) {
            if (log.uri != choice.archive_uri || round != choice.round) return;
            found = fromSet(data, opened_set, choice.target);
            found->newest = choice.newest;
            found->settings_until = choice.settings_until;
            addLog(*found, log, round);
        };
        archive::RoundKey round;
        for (const LogSource& log : sources.logs) {
            if (leadsTo(log, set, choice.target, round)) take(log, round);
        }
        if (const auto own = ownLog(data, opened_set, choice.target, round, problem)) take(*own, round);
    });
    if (found) return *found;
    throw obError(Ob::EntryNotExist,
                  fmt::format("the restore began from set {} of {}, and its log, which are not there any more{}",
                              choice.set.number, choice.data_uri, problem),
                  "start it again: another set may reach the same point");
}

RestoreChoice RestorePlan::choice(std::vector<std::string> uris) const {
    return {.uris = std::move(uris),
            .target = target,
            .newest = newest,
            .settings_until = settings_until,
            .data_uri = data_uri,
            .set = set.id,
            .archive_uri = archive_uri,
            .round = round};
}

std::string RestorePlan::setUri(const backup_set::SetId& id) const {
    std::string directory = backup_set::setDirectory(id);
    if (directory.ends_with('/')) directory.pop_back();
    return data_uri + "/" + directory;
}

std::string RestorePlan::pieceUri(const archive::PieceKey& piece) const {
    return archive_uri + "/" + archive::nameOf(piece);
}

std::vector<archive::PieceState> RestorePlan::pieces() const {
    std::vector<archive::PieceState> needed;
    if (!hasLog()) return needed;
    for (const archive::PieceState& piece : reader->round(round).pieces) {
        if (piece.start_scn <= target && piece.checkpoint_scn >= set.min_restore_scn) needed.push_back(piece);
    }
    return needed;
}

std::string RestorePlan::setList() const {
    // A full set leans on no other: its index need not be read for this.
    if (set.id.kind == backup_set::SetKind::Full) return setUri(set.id);
    std::string list;
    for (const backup_set::SetId& id :
         backup_set::setsThatHold(backup_set::openOrRebuildBlocks(*data, set, key, {})->index(), set.id))
        list += (list.empty() ? "" : ",") + setUri(id);
    return list;
}

std::string RestorePlan::pieceList() const {
    std::string list;
    for (const archive::PieceState& piece : pieces())
        list += (list.empty() ? "" : ",") + pieceUri(piece.key);
    return list;
}

std::vector<std::uint32_t> RestorePlan::serverIds() const {
    std::vector<std::uint32_t> ids;
    const auto add = [&](const mysql::GtidPosition& position) {
        for (const auto& [domain, gtid] : position.domains())
            ids.push_back(gtid.server);
    };
    add(mysql::GtidPosition::parse(set.gtid));
    if (hasLog()) add(reader->round(round).position);
    return ids;
}

}  // namespace tidemark::restore
