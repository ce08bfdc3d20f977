#pragma once

#include <string>

#include "catalog/types.h"

namespace tidemark::archive {

/// The value of LOG_ARCHIVE_DEST, taken apart. Each SET replaces all of it: what is left out has its default.
struct ArchiveDest {
    std::string location;  ///< URI, not yet checked
    catalog::Binding binding = catalog::Binding::Optional;
    std::int64_t piece_switch_days = 1;  ///< 1..7
};

/// Parses 'LOCATION=uri [BINDING=Optional] [PIECE_SWITCH_INTERVAL=1d]': items separated by blanks, no blank around `=`,
/// keys in any case and order, blanks in the location's directory. Throws Ob::NotSupported (no location, unknown key,
/// interval out of range) and Ob::InvalidArgument (malformed item), as OceanBase does.
ArchiveDest parseArchiveDest(const std::string& value);

}  // namespace tidemark::archive
