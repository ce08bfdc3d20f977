#include "restore/restore_preview.h"

#include <fmt/format.h>

#include <map>

#include "block/frame_use.h"

namespace tidemark::restore {
namespace {

struct Amount {
    std::uint64_t read = 0;
    std::uint64_t restored = 0;
};

/// By layer. A frame is read once, however many files have pages in it; pages of zeros are the set's own.
std::vector<Amount> amountsOf(const block::SetIndex& index) {
    std::vector<Amount> amounts(index.layers().size());
    block::FrameSet seen;
    index.eachMap([&](const block::FileMap& map) {
        for (const block::FramePlace& frame : map.frames) {
            if (seen.add(frame.layer, frame.number)) amounts.at(frame.layer).read += frame.stored;
        }
        for (const block::PageRun& run : map.runs)
            amounts.at(run.frame ? map.frames.at(*run.frame).layer : 0).restored += map.bytesOf(run);
    });
    return amounts;
}

std::vector<PreviewRow> setRows(const RestorePlan& plan) {
    const auto reader = backup_set::openOrRebuildBlocks(*plan.data, plan.set, plan.key, {});
    const auto amounts = amountsOf(reader->index());
    std::map<std::uint32_t, PreviewRow> rows;  // the turns of a set are one row
    for (std::size_t i = 0; i < amounts.size(); ++i) {
        const block::IndexLayer& layer = reader->index().layers()[i];
        if (i > 0 && layer.objects.empty()) continue;  // it has none of its pages any more
        const backup_set::SetId id = backup_set::setOf(layer);
        PreviewRow& row = rows[id.number];
        row.kind = PreviewRow::Kind::Set;
        row.id = id.number;
        row.uri = plan.setUri(id);
        row.read_bytes += amounts[i].read;
        row.restored_bytes += amounts[i].restored;
    }
    std::vector<PreviewRow> list;
    for (auto& [number, row] : rows)
        list.push_back(std::move(row));
    return list;
}

PreviewRow pieceRow(const RestorePlan& plan, const archive::PieceState& piece) {
    return {.kind = PreviewRow::Kind::Piece,
            .id = static_cast<std::int64_t>(piece.key.piece),
            .uri = plan.pieceUri(piece.key),
            .description = fmt::format("start_scn_display: {}, checkpoint_scn_display: {}.",
                                       formatCompact(static_cast<Nanos>(piece.start_scn)),
                                       formatCompact(static_cast<Nanos>(piece.checkpoint_scn))),
            .seconds = std::nullopt};
}

std::vector<PreviewRow> pieceRows(const RestorePlan& plan) {
    std::vector<PreviewRow> rows;
    if (!plan.hasLog()) return rows;
    std::map<archive::PieceKey, Amount> amounts;
    const auto after = mysql::GtidPosition::parse(plan.set.gtid);
    const auto& places = plan.reader->segments(plan.round);
    for (std::size_t i = plan.reader->findSegment(plan.round, after); i < places.size(); ++i) {
        const archive::SegmentFile segment = plan.reader->open(places[i]);
        if (segment.summary().from_scn > plan.target) break;
        Amount& amount = amounts[places[i].piece];
        amount.read += segment.size();
        for (const auto& entry : segment.readIndex().transactions) {
            if (entry.scn <= plan.target && !after.contains(entry.gtid)) amount.restored += entry.size;
        }
    }
    for (const archive::PieceState& piece : plan.pieces()) {
        rows.push_back(pieceRow(plan, piece));
        rows.back().read_bytes = amounts[piece.key].read;
        rows.back().restored_bytes = amounts[piece.key].restored;
    }
    return rows;
}

/// Nothing takes no time, also where it is not known how long something would take.
std::optional<double> secondsFor(std::uint64_t bytes, const std::optional<double>& rate) {
    if (bytes == 0) return 0;
    if (!rate) return std::nullopt;
    return static_cast<double>(bytes) / *rate;
}

std::string basis(std::size_t restores, const ExpectedPace& pace) {
    if (!pace.rest) return "no restore has been measured on this node, so there is no estimate";
    const auto rate = [](const std::optional<double>& bytes) {
        return bytes ? fmt::format("{:.1f} MB/s", *bytes / 1e6) : std::string("never measured");
    };
    return fmt::format("estimated by {} restore{} on this node: files {}, log {}, {:.2f} s for the rest", restores,
                       restores == 1 ? "" : "s", rate(pace.files), rate(pace.log), *pace.rest);
}

}  // namespace

std::vector<PreviewRow> previewOf(const RestorePlan& plan, const std::vector<catalog::RestorePace>& paces) {
    const ExpectedPace expected = expectedPace(paces);
    PreviewRow whole{
        .kind = PreviewRow::Kind::Whole,
        .description = fmt::format("to {} ({}); {}", plan.target, formatTimestamp(static_cast<Nanos>(plan.target)),
                                   basis(paces.size(), expected)),
        .seconds = expected.rest};
    std::vector<PreviewRow> rows = setRows(plan);
    for (PreviewRow& piece : pieceRows(plan))
        rows.push_back(std::move(piece));
    for (PreviewRow& row : rows) {
        row.seconds = secondsFor(row.restored_bytes, row.kind == PreviewRow::Kind::Set ? expected.files : expected.log);
        whole.read_bytes += row.read_bytes;
        whole.restored_bytes += row.restored_bytes;
        if (whole.seconds && row.seconds)
            *whole.seconds += *row.seconds;
        else
            whole.seconds.reset();
    }
    rows.push_back(std::move(whole));
    return rows;
}

}  // namespace tidemark::restore
