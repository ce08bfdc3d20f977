#include "base/pages.h"

#include <sys/mman.h>

#include <cerrno>

#include "base/error.h"

namespace tidemark {

std::uint8_t* mapPages(std::size_t size, const char* what) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throwErrno(errno, what);
    return static_cast<std::uint8_t*>(memory);
}

void unmapPages(std::uint8_t* memory, std::size_t size) {
    munmap(memory, size);
}

}  // namespace tidemark
