#pragma once

#include <string>

#include "mysql/sql_client.h"

namespace tidemark::mysql {

/// The text of an option file that tells MariaDB's programs where and as whom to log in: the place for a password,
/// since arguments are seen by everybody. To be handed over as a program's input, and not to lie on a disk.
std::string optionFile(const std::string& section, const Endpoint& endpoint);

}  // namespace tidemark::mysql
