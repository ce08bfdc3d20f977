#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::front {

/// Where a KILL [HARD|SOFT] [CONNECTION|QUERY] statement names a connection by a plain number.
struct KillTarget {
    std::uint64_t connection_id = 0;
    std::size_t offset = 0;  ///< of the number in the text
    std::size_t size = 0;
};

/// nullopt for everything else, KILL USER and KILL QUERY ID (which names a query) among it. Cheap: called for every
/// short query.
std::optional<KillTarget> findKillTarget(std::string_view text);

}  // namespace tidemark::front
