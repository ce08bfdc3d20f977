#pragma once

#include "base/error.h"

namespace tidemark::server {

/// How tidemarkd ends when it cannot start or go on, by the convention of sysexits(3), so that a service manager can
/// tell what to retry: 69 MariaDB's programs are missing, 70 a defect, 73 no room or the directory cannot be made,
/// 75 in use by another daemon or a passing failure, 77 no permission, 78 the configuration cannot work.
/// (64 and 78 also come from parseConfig.)
int exitCode(ErrorCode code);

}  // namespace tidemark::server
