#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "catalog/types.h"

namespace tidemark::validate {

/// Something that is wrong with an object at a destination.
struct Finding {
    catalog::FindingKind kind = catalog::FindingKind::Damaged;
    std::string object;  ///< URI
    std::string what;    ///< for people; the object is "it"
    catalog::Harm harm = catalog::Harm::None;
    Scn harm_from = 0;  ///< of Harm::Log: transactions behind this one…
    Scn harm_to = 0;    ///< …up to this one
};

/// What the checks of one unit found. Bounded: of a directory that was emptied not every object needs a row. Not
/// thread-safe.
class Findings {
public:
    static constexpr std::size_t kMost = 200;

    void add(Finding finding);
    /// The finding that an error of reading `object` is.
    void add(const Error& error, const std::string& object, catalog::Harm harm);

    std::size_t count() const { return findings_.size() + left_out_; }
    bool has(const std::string& object) const;
    /// With a last one that says how many were left out, if any were.
    std::vector<Finding> take();

private:
    std::vector<Finding> findings_;
    std::size_t left_out_ = 0;
    catalog::Harm left_harm_ = catalog::Harm::None;  ///< the greatest of those
};

}  // namespace tidemark::validate
