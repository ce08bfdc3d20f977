#include "base/open_files.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace tidemark {

std::uint64_t openFilesLimit(std::uint64_t needed) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) throwErrno(errno, "asking for the limit of open files");
    if (limit.rlim_cur >= needed) return limit.rlim_cur;
    // Beyond the hard limit only with CAP_SYS_RESOURCE.
    for (const rlim_t hard : {std::max<rlim_t>(needed, limit.rlim_max), limit.rlim_max}) {
        const rlimit raised{.rlim_cur = std::min<rlim_t>(needed, hard), .rlim_max = hard};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
    }
    return limit.rlim_cur;
}

}  // namespace tidemark
