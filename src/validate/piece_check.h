#pragma once

#include <map>
#include <optional>
#include <vector>

#include "archive/records.h"
#include "validate/checking.h"
#include "validate/finding.h"
#include "validate/segment_check.h"

namespace tidemark::validate {

/// What the catalog knows of a piece that is to be checked.
struct PieceToCheck {
    archive::PieceKey key;
    bool frozen = false;
    bool last = false;     ///< the newest of its round
    bool follows = false;  ///< the piece before it is to be there, and to end where this one begins
    Scn start_scn = 0;
    Scn end_scn = 0;  ///< up to where it is archived
};

/// Re-reads every object of a piece, checks every checksum, and that the log goes on without a gap: from the piece
/// before it, from segment to segment, up to where its records say. What is archived while it is checked is not looked
/// at.
///
/// Uses the lane's workers, and threads that end with run(). Memory: buffers of the budget, 500 bytes for each segment.
class PieceCheck {
public:
    PieceCheck(const Checking& with, const PieceToCheck& piece);

    /// Throws Unavailable if the storage does not give something, Cancelled; what is wrong it returns.
    std::vector<Finding> run();

private:
    void readStart();
    void readEnd();
    void readFrozen();
    void checkOtherRecord(const storage::Key& prefix, const std::string& name);
    void checkCheckpoints();
    void joinBefore();
    void readSegments();
    void checkOne(block::MemoryShare& memory, std::uint64_t id);
    void addMissing();
    void addDamaged();
    void joinSegments();
    void joinEnd();

    archive::PieceRecord readRecord(const storage::Key& key);
    Finding logFinding(catalog::FindingKind kind, const storage::Key& key, std::string what, std::uint64_t first,
                       std::uint64_t last) const;
    Scn endBefore(std::uint64_t id) const;
    Scn beginBehind(std::uint64_t id) const;

    const Checking& with_;
    const PieceToCheck piece_;
    Findings findings_;
    std::optional<archive::PieceRecord> start_;
    std::optional<archive::PieceRecord> end_;  ///< once frozen
    std::uint64_t promised_ = 0;               ///< segments that there have to be
    Scn until_ = 0;
    std::vector<std::uint64_t> there_;         ///< segments that are
    Mutex mutex_;
    std::map<std::uint64_t, CheckedSegment> whole_;
    std::map<std::uint64_t, Error> damaged_;
};

/// A round's own records: how it began, how it ended, and the tenant's settings in it.
std::vector<Finding> checkRound(const Checking& with, const archive::RoundKey& round);

}  // namespace tidemark::validate
