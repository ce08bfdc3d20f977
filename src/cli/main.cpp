#include "cli/command_line.h"

int main(int argc, char** argv) {
    return tidemark::cli::runCommandLine(argc, argv);
}
