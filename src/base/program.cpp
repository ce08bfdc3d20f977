#include "base/program.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace tidemark {

namespace fs = std::filesystem;

fs::path findProgram(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "" : path);
    for (std::string directory; std::getline(directories, directory, ':');) {
        const fs::path found = fs::path(directory.empty() ? "." : directory) / program;
        std::error_code problem;
        if (!fs::is_regular_file(found, problem) || ::access(found.c_str(), X_OK) != 0) continue;
        const fs::path resolved = fs::canonical(found, problem);
        return problem ? found : resolved;
    }
    return {};
}

std::vector<fs::path> treesOf(const std::string& program) {
    std::vector<fs::path> trees{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt", "/proc", "/sys", "/dev"};
    const fs::path directory = findProgram(program).parent_path();
    if (directory.filename() == "bin" || directory.filename() == "sbin") trees.push_back(directory.parent_path());
    return trees;
}

FileAccess accessOf(const std::string& program, std::vector<fs::path> writable) {
    writable.emplace_back("/dev/null");
    return {.readable = treesOf(program), .writable = std::move(writable)};
}

}  // namespace tidemark
