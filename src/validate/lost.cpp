#include "validate/lost.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tidemark::validate {
namespace {

using catalog::FindingRow;
using catalog::Harm;
using Range = std::pair<Scn, Scn>;

/// In order, and none touches another.
std::vector<Range> united(std::vector<Range> ranges) {
    std::ranges::sort(ranges);
    std::vector<Range> result;
    for (const Range& range : ranges) {
        if (!result.empty() && range.first <= result.back().second + 1) {
            result.back().second = std::max(result.back().second, range.second);
        } else {
            result.push_back(range);
        }
    }
    return result;
}

/// What of `range` is in none of `others`, which are in order.
void addRest(Range range, const std::vector<Range>& others, std::vector<Range>& into) {
    for (const Range& other : others) {
        if (other.second < range.first || other.first > range.second) continue;
        if (other.first > range.first) into.emplace_back(range.first, other.first - 1);
        if (other.second >= range.second) return;
        range.first = other.second + 1;
    }
    into.push_back(range);
}

/// Whether it is of the log that a set carries.
bool isOfOwnLog(const FindingRow& finding) {
    return finding.object.find("/complement_log/") != std::string::npos;
}

/// What can be restored from a set with the log behind it, or the one in it, as far as the findings leave it.
std::optional<Range> reachOf(const Restorable::Set& set, const Restorable& all,
                             const std::vector<FindingRow>& findings) {
    const auto round = std::ranges::find(all.rounds, set.round_id, &Restorable::Round::id);
    Range reach{set.from, round == all.rounds.end() ? set.from : std::max(set.from, round->to)};
    Scn own = set.own_to;
    for (const FindingRow& finding : findings) {
        const bool same_round = set.round_id != 0 && finding.unit.round_id == set.round_id;
        switch (finding.harm) {
            case Harm::None:
                if (finding.unit.backup_set_id == set.id && isOfOwnLog(finding)) own = 0;
                break;
            case Harm::Set:
                if (finding.unit.backup_set_id == set.id) return std::nullopt;
                break;
            case Harm::Data:
                if (finding.unit.dest_id == set.dest_id) return std::nullopt;
                break;
            case Harm::Archive:
                if (round != all.rounds.end() && finding.unit.dest_id == round->dest_id) reach.second = set.from;
                break;
            case Harm::Round:
                if (same_round) reach.second = set.from;
                break;
            case Harm::Log:
                if ((same_round || finding.unit.backup_set_id == set.id) && finding.harm_to > set.from)
                    reach.second = std::min(reach.second, std::max(finding.harm_from, set.from));
                break;
        }
    }
    reach.second = std::max(reach.second, own);
    return reach;
}

}  // namespace

const catalog::ArchiveRound* roundBehind(const std::vector<catalog::ArchiveRound>& rounds,
                                         const catalog::BackupSet& set) {
    const catalog::ArchiveRound* last = nullptr;
    for (const catalog::ArchiveRound& round : rounds) {
        if (round.start_scn != 0 && round.start_scn <= set.min_restore_scn) last = &round;
    }
    return last;
}

Restorable restorable(const std::vector<catalog::BackupSet>& sets, const std::vector<catalog::ArchiveRound>& rounds) {
    Restorable all;
    for (const catalog::ArchiveRound& round : rounds)
        all.rounds.push_back({round.round_id, round.dest_id, std::max(round.checkpoint_scn, round.covered_scn)});
    for (const catalog::BackupSet& set : sets) {
        using catalog::FileStatus;
        if (set.file_status != FileStatus::Available && set.file_status != FileStatus::Broken &&
            set.file_status != FileStatus::Expired)
            continue;
        const catalog::ArchiveRound* round = roundBehind(rounds, set);
        all.sets.push_back({set.backup_set_id, set.dest_id, round == nullptr ? 0 : round->round_id, set.min_restore_scn,
                            set.log_end_scn});
    }
    return all;
}

std::string Lost::setList() const {
    return fmt::format("{}", fmt::join(sets, ","));
}

std::string Lost::rangeList() const {
    std::string list;
    for (const auto& [from, to] : ranges)
        list += fmt::format("{}{}-{}", list.empty() ? "" : ",", from, to);
    return list;
}

Lost lostBy(const Restorable& all, const std::vector<FindingRow>& findings) {
    Lost lost;
    std::vector<Range> before;
    std::vector<Range> now;
    for (const Restorable::Set& set : all.sets) {
        before.push_back(*reachOf(set, all, {}));
        const auto reach = reachOf(set, all, findings);
        if (reach)
            now.push_back(*reach);
        else
            lost.sets.push_back(set.id);
    }
    now = united(std::move(now));
    for (const Range& range : united(std::move(before)))
        addRest(range, now, lost.ranges);
    return lost;
}

}  // namespace tidemark::validate
