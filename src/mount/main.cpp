#include <sysexits.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "mount/serve.h"

using namespace tidemark;

// tidemark-mount DIRECTORY: the daemon's helper. What it is to do comes by its stdin (backup_set/open_order.h); the
// argument is for people who look at processes.

static std::string readStdin() {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(STDIN_FILENO, part.data(), part.size())) > 0;)
        text.append(part.data(), static_cast<std::size_t>(got));
    explicit_bzero(part.data(), part.size());
    return text;
}

int main() {
    initLog("info");
    const Logger log = makeLogger("tidemark-mount");
    try {
        std::string text = readStdin();
        backup_set::OpenOrder order;
        {
            const Wiped<std::string> wiped(text);
            order = backup_set::OpenOrder::from(text);
        }
        mount::serve(order);
        return EX_OK;
    } catch (const std::exception& error) {
        log->error("{}", error.what());
        return EX_SOFTWARE;
    }
}
