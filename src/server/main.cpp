#include <malloc.h>
#include <string.h>
#include <sysexits.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <new>

#include "archive/archiver.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/spawner.h"
#include "server/config.h"
#include "server/exit_code.h"
#include "server/node.h"
#include "server/service_notify.h"
#include "server/signals.h"

using namespace tidemark;

/// What strings and small buffers had is wiped when they are freed: passwords pass through many of them on their way
/// from a socket to what wipes itself, and a core file has all that was ever freed. Large ones come from elsewhere, or
/// are used again.
namespace {
constexpr std::size_t kWiped = 16 << 10;

void wipeAndFree(void* memory) noexcept {
    if (memory != nullptr) explicit_bzero(memory, std::min(malloc_usable_size(memory), kWiped));
    std::free(memory);
}
}  // namespace

void* operator new(std::size_t size) {
    if (void* const memory = std::malloc(std::max<std::size_t>(size, 1))) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    wipeAndFree(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    wipeAndFree(memory);
}

static int run(const server::Config& config, const Logger& log) {
    try {
        startSpawner();  // while nothing is open that may hang
        if (const char* point = std::getenv("TIDEMARK_CRASH_AT")) armCrashPoint(point);
        const auto begin = std::chrono::steady_clock::now();
        server::Signals signals;
        server::Node node(config, [&] { signals.wake(); });
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        log->info("accepts connections on {}:{} after {:.1f} s", config.bind, node.port(), took.count());
        server::notifyServiceManager("READY=1\n");
        signals.waitForEnd();
        server::notifyServiceManager("STOPPING=1\n");
        const bool ended = node.endWork();
        if (node.databasesShallEnd()) {
            log->info("ends with its databases");
            node.stopDatabases();
        } else {
            log->info("ends; the databases stay up");
        }
        // Threads that hang still use the node: only the end of the process ends them.
        if (!ended) {
            node.abandon();
            log->warn("what hangs may keep this process for as long; the next daemon can start");
            std::_Exit(EX_OK);
        }
        return EX_OK;
    } catch (const Error& error) {
        log->error("{}{}{}", error.what(), error.hint().empty() ? "" : "; ", error.hint());
        return server::exitCode(error.code());
    } catch (const std::exception& error) {
        log->error("{}", error.what());
        return EX_SOFTWARE;
    }
}

int main(int argc, char** argv) {
    const auto parsed = server::parseConfig(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    const auto& config = std::get<server::Config>(parsed);
    initLog(config.log_level);
    const Logger log = makeLogger("tidemarkd");
    const int code = run(config, log);
    // A thread that a destination which hangs has kept may come back while the process is torn down.
    if (archive::Archiver::leftBehind() > 0) std::_Exit(code);
    return code;
}
