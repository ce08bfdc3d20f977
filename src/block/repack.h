#pragma once

#include "block/known_pages.h"
#include "block/read_plan.h"

namespace tidemark::block {

/// What a set is to read and store again of the sets that it leans on, so that a restore of it reads no more than a
/// tenth in vain: the pages that it uses of frames of which least is used. `pages` tells where the pages of `files`
/// lie; `own`: stored bytes of the set's own frames. Throws Cancelled if `stop` is requested.
ReadPlan planRepack(const KnownPages& known, const PageTable& pages, const std::vector<StoredFile>& files,
                    std::uint64_t own, const std::filesystem::path& scratch, const std::stop_token& stop);

}  // namespace tidemark::block
