#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "targets.h"

/// With libFuzzer: `fuzz TARGET [options of libFuzzer] [directory…]`; `fuzz --list` names the targets; `fuzz --seeds
/// TARGET DIRECTORY` writes its seeds.
namespace tidemark::fuzz {
namespace {

const Target* chosen = nullptr;

const Target& targetOf(const char* name) {
    for (const Target& target : targets()) {
        if (std::strcmp(target.name, name) == 0) return target;
    }
    std::fprintf(stderr, "there is no target %s; fuzz --list names them\n", name);
    std::exit(64);
}

void writeSeeds(const Target& target, const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    int number = 0;
    for (const Bytes& seed : target.seeds()) {
        std::ofstream file(directory / ("seed_" + std::to_string(number++)), std::ios::binary);
        file << textOf(seed);
    }
}

}  // namespace

}  // namespace tidemark::fuzz

using namespace tidemark;

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    char** const arguments = *argv;
    const auto is = [&](const char* option) { return *argc > 1 && std::strcmp(arguments[1], option) == 0; };
    if (is("--list")) {
        for (const fuzz::Target& target : fuzz::targets())
            std::puts(target.name);
        std::exit(0);
    }
    if (is("--seeds") && *argc == 4) {
        fuzz::writeSeeds(fuzz::targetOf(arguments[2]), arguments[3]);
        std::exit(0);
    }
    if (*argc < 2) std::exit(64);
    fuzz::chosen = &fuzz::targetOf(arguments[1]);
    arguments[1] = arguments[0];
    *argv = arguments + 1;
    --*argc;
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::accepted([&] { fuzz::chosen->run({data, size}); });
    return 0;
}
