#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>

#include "targets.h"

/// Without libFuzzer, for every test run: `fuzz_replay [--seed N] [--ms N] [TARGET…]` feeds each target its seeds and
/// then random changes of them for some time. It sees no coverage, so it finds what lies near the seeds.
namespace tidemark::fuzz {
namespace {

struct Options {
    std::uint64_t seed = std::random_device{}();
    std::chrono::milliseconds each{600};
    std::vector<std::string> names;
};

/// What a dying program says: enough to do it again.
const Target* running = nullptr;
Bytes fed;

void sayWhatItWas(int signal) {
    std::string text = fmt::format("\ntarget {} died of signal {} with {} bytes: ", running->name, signal, fed.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(fed.size(), 4096); ++i)
        text += fmt::format("{:02x}", fed[i]);
    text += "\n";
    (void)!write(STDERR_FILENO, text.data(), text.size());
    std::signal(signal, SIG_DFL);
    raise(signal);
}

class Mutator {
public:
    Mutator(const std::vector<Bytes>& seeds, std::uint64_t seed) : seeds_(seeds), random_(seed) {}

    Bytes next() {
        Bytes bytes = pick(seeds_);
        for (std::size_t changes = 1 + below(4); changes > 0; --changes)
            change(bytes);
        return bytes;
    }

private:
    std::size_t below(std::size_t limit) {
        return static_cast<std::size_t>(random_() % std::max<std::size_t>(limit, 1));
    }
    const Bytes& pick(const std::vector<Bytes>& from) { return from[below(from.size())]; }

    void change(Bytes& bytes) {
        const std::size_t at = below(bytes.size() + 1);
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        const auto rest = bytes.size() - at;
        switch (below(7)) {
            case 0:
                if (rest > 0) *place ^= static_cast<std::uint8_t>(1U << below(8));
                return;
            case 1:
                if (rest > 0) *place = static_cast<std::uint8_t>(random_());
                return;
            case 2: {
                // Lengths are where parsers break.
                static constexpr std::uint8_t kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
                for (std::size_t i = 0; i < std::min<std::size_t>(rest, 1U << below(4)); ++i)
                    bytes[at + i] = kEdges[below(std::size(kEdges))];
                return;
            }
            case 3:
                bytes.erase(place, place + static_cast<std::ptrdiff_t>(std::min(rest, 1 + below(8))));
                return;
            case 4:
                bytes.insert(place, 1 + below(8), static_cast<std::uint8_t>(random_()));
                return;
            case 5:
                bytes.resize(at);
                return;
            default: {
                const Bytes& other = pick(seeds_);
                const std::size_t from = below(other.size() + 1);
                bytes.insert(place, other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
                if (bytes.size() > (1 << 16)) bytes.resize(1 << 16);
            }
        }
    }

    const std::vector<Bytes>& seeds_;
    std::mt19937_64 random_;
};

void feed(const Target& target, Bytes bytes) {
    fed = std::move(bytes);
    // On the heap with nothing behind it, so that memory checkers see a look behind its end.
    const Bytes exact(fed);
    accepted([&] { target.run(exact); });
}

void exercise(const Target& target, const Options& options) {
    running = &target;
    const std::vector<Bytes> seeds = target.seeds();
    for (const Bytes& seed : seeds)
        feed(target, seed);
    feed(target, {});
    Mutator mutator(seeds, options.seed);
    std::uint64_t inputs = 0;
    for (const auto end = std::chrono::steady_clock::now() + options.each; std::chrono::steady_clock::now() < end;
         ++inputs)
        feed(target, mutator.next());
    fmt::print("{:16} {} seeds, {} changes of them\n", target.name, seeds.size(), inputs);
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--seed" && i + 1 < argc) {
            options.seed = std::stoull(argv[++i]);
        } else if (argument == "--ms" && i + 1 < argc) {
            options.each = std::chrono::milliseconds(std::stoll(argv[++i]));
        } else {
            options.names.push_back(argument);
        }
    }
    return options;
}

}  // namespace
}  // namespace tidemark::fuzz

int main(int argc, char** argv) {
    using namespace tidemark::fuzz;
    const Options options = parse(argc, argv);
    fmt::print("seed {}\n", options.seed);
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(signal, sayWhatItWas);
    std::size_t done = 0;
    for (const Target& target : targets()) {
        const auto& names = options.names;
        if (!names.empty() && std::find(names.begin(), names.end(), target.name) == names.end()) continue;
        exercise(target, options);
        ++done;
    }
    fmt::print("{} targets\n", done);
    return done == 0 ? 64 : 0;
}
