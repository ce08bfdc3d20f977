#include "validate/validate_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.h"
#include "oceanbase/ob_error.h"
#include "validate/lost.h"

namespace tidemark::validate {
namespace {

using catalog::BackupSet;
using Kind = PlannedUnit::Kind;

/// What has expired may be leaned on by what has not.
bool isThereToCheck(catalog::FileStatus status) {
    using catalog::FileStatus;
    return status == FileStatus::Available || status == FileStatus::Broken || status == FileStatus::Expired;
}

/// The wanted ones and those that they lean on, in order of ids.
std::vector<BackupSet> withParents(const std::vector<BackupSet>& all, std::vector<std::int64_t> wanted) {
    std::set<std::int64_t> chosen;
    while (!wanted.empty()) {
        const std::int64_t id = wanted.back();
        wanted.pop_back();
        if (id == 0 || !chosen.insert(id).second) continue;
        const auto found = std::ranges::find(all, id, &BackupSet::backup_set_id);
        // Of a parent that is gone its children's indexes tell more.
        if (found == all.end()) continue;
        wanted.insert(wanted.end(), {found->prev_full_set_id, found->prev_inc_set_id});
    }
    std::vector<BackupSet> sets = all;
    std::erase_if(sets, [&](const BackupSet& set) { return !chosen.contains(set.backup_set_id); });
    return sets;
}

/// Collects units; a destination comes before what is in it.
class Planner {
public:
    void set(const BackupSet& set) {
        destination(Kind::DataDestination, set.path, set.dest_id);
        plan_.units.push_back({.kind = Kind::Set,
                               .path = set.path,
                               .id = {.dest_id = set.dest_id, .backup_set_id = set.backup_set_id},
                               .incremental = set.type == catalog::BackupType::Inc});
    }

    void round(const catalog::ArchiveRound& round, std::int64_t first_piece,
               const std::vector<catalog::ArchivePiece>& pieces) {
        destination(Kind::ArchiveDestination, round.path, round.dest_id);
        plan_.units.push_back(
            {.kind = Kind::Round, .path = round.path, .id = {.dest_id = round.dest_id, .round_id = round.round_id}});
        std::int64_t before = 0;
        for (const catalog::ArchivePiece& piece : pieces) {
            if (piece.round_id != round.round_id || piece.piece_id < first_piece || !isThereToCheck(piece.file_status))
                continue;
            plan_.units.push_back(
                {.kind = Kind::Piece,
                 .path = round.path,
                 .id = {.dest_id = round.dest_id, .round_id = round.round_id, .piece_id = piece.piece_id},
                 .follows = before != 0 && before == piece.piece_id - 1});
            before = piece.piece_id;
        }
    }

    void restore(const BackupSet& set) {
        plan_.units.push_back({.kind = Kind::Restore,
                               .path = set.path,
                               .id = {.dest_id = set.dest_id, .backup_set_id = set.backup_set_id, .by_restore = true},
                               .incremental = set.type == catalog::BackupType::Inc,
                               .bytes = set.stats.input_bytes});
    }

    ValidatePlan take() { return std::move(plan_); }

private:
    void destination(Kind kind, const std::string& path, std::int64_t dest_id) {
        if (paths_.insert(path).second) plan_.units.push_back({.kind = kind, .path = path, .id = {.dest_id = dest_id}});
    }

    ValidatePlan plan_;
    std::set<std::string> paths_;
};

/// The piece in which the log of a set goes on.
std::int64_t firstPieceOf(const BackupSet& set, const catalog::ArchiveRound& round,
                          const std::vector<catalog::ArchivePiece>& pieces) {
    std::int64_t first = round.base_piece_id;
    for (const catalog::ArchivePiece& piece : pieces) {
        if (piece.round_id == round.round_id && piece.start_scn <= set.start_replay_scn) first = piece.piece_id;
    }
    return first;
}

nlohmann::json jsonOf(const PlannedUnit& unit) {
    return {static_cast<int>(unit.kind),
            unit.path,
            unit.id.dest_id,
            unit.id.backup_set_id,
            unit.id.round_id,
            unit.id.piece_id,
            unit.incremental,
            unit.follows,
            unit.bytes,
            unit.objects};
}

PlannedUnit unitFrom(const nlohmann::json& json) {
    PlannedUnit unit;
    unit.kind = static_cast<Kind>(json.at(0).get<int>());
    unit.id.by_restore = unit.kind == Kind::Restore;
    json.at(1).get_to(unit.path);
    json.at(2).get_to(unit.id.dest_id);
    json.at(3).get_to(unit.id.backup_set_id);
    json.at(4).get_to(unit.id.round_id);
    json.at(5).get_to(unit.id.piece_id);
    json.at(6).get_to(unit.incremental);
    json.at(7).get_to(unit.follows);
    json.at(8).get_to(unit.bytes);
    json.at(9).get_to(unit.objects);
    return unit;
}

}  // namespace

backup_set::SetId PlannedUnit::set() const {
    return {static_cast<std::uint32_t>(id.backup_set_id), backup_set::kindOf(incremental)};
}

archive::PieceKey PlannedUnit::piece() const {
    return {static_cast<std::uint64_t>(id.dest_id), static_cast<std::uint64_t>(id.round_id),
            static_cast<std::uint64_t>(id.piece_id)};
}

std::string ValidatePlan::text() const {
    nlohmann::json list = nlohmann::json::array();
    for (const PlannedUnit& unit : units)
        list.push_back(jsonOf(unit));
    nlohmann::json known = nlohmann::json::array();
    for (const auto& [set, position] : positions)
        known.push_back({set, position});
    return jsonText({{"units", std::move(list)},
                     {"next", next},
                     {"bytes", bytes},
                     {"objects", objects},
                     {"findings", findings},
                     {"positions", std::move(known)}});
}

ValidatePlan ValidatePlan::from(const std::string& text) {
    ValidatePlan plan;
    if (text.empty()) return plan;
    const nlohmann::json json = parseJson(text);
    for (const nlohmann::json& unit : json.at("units"))
        plan.units.push_back(unitFrom(unit));
    json.at("next").get_to(plan.next);
    json.at("bytes").get_to(plan.bytes);
    json.at("objects").get_to(plan.objects);
    json.at("findings").get_to(plan.findings);
    for (const nlohmann::json& known : json.at("positions"))
        plan.positions.emplace(known.at(0).get<std::int64_t>(), known.at(1).get<std::string>());
    return plan;
}

std::vector<std::int64_t> parseSets(const std::string& text) {
    std::vector<std::int64_t> numbers;
    if (text == "ALL") return numbers;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
        std::int64_t number = 0;
        const auto [rest, problem] = std::from_chars(at, end, number);
        const bool good = problem == std::errc() && number > 0 && number <= UINT32_MAX && (rest == end || *rest == ',');
        if (!good)
            throw obError(Ob::InvalidArgument, "backup set", "a set has a number, as in CDB_OB_BACKUP_SET_FILES");
        numbers.push_back(number);
        if (rest == end) return numbers;
        at = rest + 1;
    }
}

std::vector<BackupSet> validatableSets(catalog::BackupStore& store, catalog::TenantId tenant) {
    std::vector<BackupSet> sets = store.sets(tenant);
    std::erase_if(sets, [](const BackupSet& set) {
        return set.status != catalog::BackupSetStatus::Success || !isThereToCheck(set.file_status);
    });
    return sets;
}

ValidatePlan planValidation(catalog::Stores& stores, catalog::TenantId tenant, const std::vector<std::int64_t>& wanted,
                            bool with_restore) {
    const auto all = validatableSets(stores.backups, tenant);
    std::vector<std::int64_t> chosen = wanted;
    if (wanted.empty()) std::ranges::transform(all, std::back_inserter(chosen), &BackupSet::backup_set_id);
    for (const std::int64_t id : chosen) {
        if (std::ranges::find(all, id, &BackupSet::backup_set_id) != all.end()) continue;
        throw obError(Ob::EntryNotExist, fmt::format("tenant {} has no complete backup set {}", tenant, id),
                      "CDB_OB_BACKUP_SET_FILES lists them: FILE_STATUS AVAILABLE or BROKEN");
    }
    const auto rounds = stores.archive.rounds(tenant);
    const auto pieces = stores.archive.pieces(tenant);
    Planner planner;
    std::map<std::int64_t, std::int64_t> first_pieces;  // by round
    for (const BackupSet& set : withParents(all, chosen)) {
        planner.set(set);
        const catalog::ArchiveRound* round = roundBehind(rounds, set);
        if (round == nullptr) continue;
        const std::int64_t first = firstPieceOf(set, *round, pieces);
        const auto [known, is_new] = first_pieces.emplace(round->round_id, first);
        known->second = std::min(known->second, first);
    }
    for (const catalog::ArchiveRound& round : rounds) {
        const auto first = first_pieces.find(round.round_id);
        if (first != first_pieces.end()) planner.round(round, first->second, pieces);
    }
    for (const BackupSet& set : all) {
        if (with_restore && std::ranges::count(chosen, set.backup_set_id) > 0) planner.restore(set);
    }
    return planner.take();
}

void measure(storage::Storage& storage, PlannedUnit& unit) {
    const auto add = [&](const storage::Key& prefix) {
        for (const storage::ObjectInfo& object : storage.list(prefix)) {
            unit.bytes += object.size;
            ++unit.objects;
        }
    };
    switch (unit.kind) {
        case Kind::Restore:
            return;
        case Kind::DataDestination:
        case Kind::ArchiveDestination:
            return add("format.obbak");
        case Kind::Set: {
            std::string name = backup_set::setDirectory(unit.set());
            add(name);
            name.back() = '_';
            return add("backup_sets/" + name);
        }
        case Kind::Round: {
            const archive::RoundKey round = unit.piece().roundKey();
            add("rounds/" + nameOf(round) + "_");
            return add(archive::settingsPrefix(round));
        }
        case Kind::Piece:
            add("pieces/" + nameOf(unit.piece()) + "_");
            return add(nameOf(unit.piece()) + "/");
    }
}

}  // namespace tidemark::validate
